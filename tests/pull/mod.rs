//! Artifact → folder: all of it or nothing, whatever happens in between.

mod folder;
mod killed;
