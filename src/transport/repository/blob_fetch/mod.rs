//! Fetches a blob, or a part of it, as a stream that survives a broken connection.
//!
//! One connection a blob; where it turns out slow, several (see [`crate::transport::http`], lanes).
//! The reader around this checks length and digest; here it is made sure that the bytes are those
//! at the offset that was asked for, and that no page of a proxy is taken for a blob.

mod download;

mod pace;
mod parts;
mod stream;
mod supply;
