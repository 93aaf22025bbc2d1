"""The demo: a good image is promoted and a bad one reverted, with real traffic all the while."""
