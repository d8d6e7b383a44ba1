"""The desk: the engine that carries out an office's commands one after another (load, decide, append, keep, commit)."""
