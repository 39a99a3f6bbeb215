//! A service's outside: server, layers, errors, page tokens, authentication, shutdown.
