//! The binary, as transcripts: standard output, standard error and exit code.

mod config;
mod cp;
mod diff;
mod docs;
mod entries;
mod flow;
mod gate;
mod hostile;
mod hostile_models;
mod inspect;
mod keygen;
mod lock;
mod login;
mod pack;
mod progress;
mod pull;
mod reference;
mod registry;
mod run;
mod seeds;
mod sign;
mod signals;
mod signatures;
mod signed_artifacts;
mod usage;
mod verify;
