// Package auth stands in for the fork of go-http-auth that Traefik uses and
// that is not published: it lets nobody in. Canary annotations need none of
// it; a route that asks for basic or digest authentication answers 401.
package auth

import "net/http"

// SecretProvider finds a user's secret.
type SecretProvider func(user, realm string) string

// CheckSecret refuses every password.
func CheckSecret(password, secret string) bool { return false }

// BasicAuth refuses every request.
type BasicAuth struct {
	Realm   string
	Secrets SecretProvider
}

// RequireAuth answers 401.
func (a *BasicAuth) RequireAuth(w http.ResponseWriter, r *http.Request) { refuse(w) }

// DigestAuth refuses every request.
type DigestAuth struct{}

// NewDigestAuthenticator makes a DigestAuth, whatever the realm and secrets.
func NewDigestAuthenticator(realm string, secrets SecretProvider) *DigestAuth {
	return &DigestAuth{}
}

// CheckAuth knows no user.
func (a *DigestAuth) CheckAuth(r *http.Request) (string, *string) { return "", nil }

// RequireAuth answers 401.
func (a *DigestAuth) RequireAuth(w http.ResponseWriter, r *http.Request) { refuse(w) }

// RequireAuthStale answers 401.
func (a *DigestAuth) RequireAuthStale(w http.ResponseWriter, r *http.Request) { refuse(w) }

// DigestAuthParams reads nothing.
func DigestAuthParams(authorization string) map[string]string { return nil }

func refuse(w http.ResponseWriter) { http.Error(w, "401 Unauthorized", http.StatusUnauthorized) }
