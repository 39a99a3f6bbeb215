//! Channels to the services: deadline, retry of what is safe, trace context.
