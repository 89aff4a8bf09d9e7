//! Commands killed at any moment, and many at a time, with the real binary and real registries.
//!
//! Run by `make soak`. What moves is counted by a proxy between client and registry, not by the
//! client. `SOAK_SEED` repeats a run, `SOAK_ROUNDS` and `SOAK_SECONDS` say how long it takes, and
//! `SOAK_TASKS=PullStore,Gc` leaves out what is not named.
#![expect(
    clippy::print_stdout,
    reason = "what was counted is what one runs it for"
)]

mod crowd;
mod kills;
mod place;
mod random;
