//! A registry as a store, with a scripted server and with peers.

mod login;
mod manifest_refusals;
mod peers;
mod uploads_access;
mod uploads_limits;
mod uploads_resume;
mod uploads_sessions;
