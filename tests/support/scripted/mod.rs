//! A registry that does as a test says: a script answers first, and an honest registry in memory
//! answers the rest. Every request is logged, so that a test can assert what was *not* sent where.

mod honest;
mod server;
mod tls;
mod uploads;
mod wire;

pub(crate) use honest::Honest;
pub(crate) use server::{Early, Scripted};
pub(crate) use tls::Authority;
pub(crate) use wire::{Content, Reply, Seen};
