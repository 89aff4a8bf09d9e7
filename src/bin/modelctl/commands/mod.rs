//! One file for each command: arguments → options → a call of the library → a report.

pub(crate) mod attest;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod cp;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod gate;
pub(crate) mod gc;
pub(crate) mod inspect;
pub(crate) mod keygen;
pub(crate) mod lock;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod ls;
pub(crate) mod man;
pub(crate) mod pack;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod registry;
pub(crate) mod repair;
pub(crate) mod rm;
pub(crate) mod run;
pub(crate) mod sign;
pub(crate) mod tag;
pub(crate) mod verify;
