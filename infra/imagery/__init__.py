"""Images from their Dockerfiles, where no engine runs and no registry is reached.

A Dockerfile begins with `ARG BASE`: anywhere else that is an image of a registry, here it is one
made of the distribution's packages. `RUN` steps have no network, so what pip installs is fetched
before and handed in. Each image is built once for each distinct set of its inputs.
"""
