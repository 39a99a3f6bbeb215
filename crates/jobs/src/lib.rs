//! Due work: timers and queued jobs in the service's own schema.
