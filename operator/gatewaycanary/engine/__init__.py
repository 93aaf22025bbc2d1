"""The only loop: keys come off a queue, are observed, decided, recorded and acted upon."""
