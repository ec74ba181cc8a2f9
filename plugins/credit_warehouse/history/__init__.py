"""Past publications: which stay in the marts, which go to an archive, and how both are read."""
