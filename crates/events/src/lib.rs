//! The event log: outbox, sequencer, feed, consumer.
