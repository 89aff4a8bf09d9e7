//! Fixtures that several tests share.

pub(crate) mod env;
