"""renderer — draws pages of strangers' documents as pictures. Never sees the store, a key, the settings or a network;
`drawing` alone says pypdfium2, and is loaded by the renderer's own process and by nobody else.
"""
