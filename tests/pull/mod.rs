//! Artifact → folder: all of it or nothing, whatever happens in between.

mod disk;
mod folder;
mod killed;
mod limited;
mod processes;
mod resume;
mod steps;
mod together;
mod wrong;
