// Package ext stands in for the extension point of Traefik's dynamic
// configuration, which its module leaves out: no extension adds any field.
package ext

// HTTP adds nothing to the HTTP configuration.
type HTTP struct{}

// Router adds nothing to a router.
type Router struct{}
