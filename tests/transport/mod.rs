//! A registry as a store, with a scripted server and with peers.

mod login;
mod peers;
