"""store.reading — what may be read: plain values for use cases, jobs and channels; nothing here writes."""
