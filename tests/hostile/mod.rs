//! Registries, layers and names that mean harm: nothing gets through, and the error says why.

mod auth;
mod blobs;
mod graphs;
mod layers;
mod lists;
mod manifests;
mod paths;
mod redirects;
mod tokens;
mod uploads;
