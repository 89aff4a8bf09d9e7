//! The one ONNX Runtime of this process.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;

use super::Version;
use super::version::OLDEST;
use crate::run::RunError;

/// ONNX Runtime, loaded. There is one per process, for as long as the process lives: that is how
/// ONNX Runtime's environment works.
#[derive(Debug)]
pub struct Engine {
    library: PathBuf,
    version: Version,
    environment: Environment,
}

static LOADED: OnceLock<Engine> = OnceLock::new();
/// Held while loading, so that two threads do not make two environments.
static LOADING: Mutex<()> = Mutex::new(());

impl Engine {
    /// Loads the library, or gives it again. Fails where it is not ONNX Runtime, is too old, or
    /// another one is loaded already. Telemetry is off; messages go to `tracing`.
    pub fn load(library: &Path) -> Result<&'static Self, RunError> {
        let _guard = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = LOADED.get() {
            return engine.same(library);
        }
        let engine = Self::start(library)?;
        Ok(LOADED.get_or_init(|| engine))
    }

    /// The library's path.
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// The version that the library says it has.
    pub fn version(&self) -> Version {
        self.version
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }

    fn same(&'static self, library: &Path) -> Result<&'static Self, RunError> {
        if self.library == library {
            return Ok(self);
        }
        Err(RunError::Library {
            path: library.to_path_buf(),
            reason: format!("`{}` is loaded already", self.library.display()),
        })
    }

    fn start(library: &Path) -> Result<Self, RunError> {
        let fault = |reason: String| RunError::Library {
            path: library.to_path_buf(),
            reason,
        };
        // Asked first: ort would end the process on some of what is not ONNX Runtime.
        let version = Version::of_library(library)?;
        if version < OLDEST {
            let remedy = "install a newer one with `pip install --upgrade onnxruntime`";
            let reason = format!("ONNX Runtime {version}, expected {OLDEST} or later; {remedy}");
            return Err(fault(reason));
        }
        let builder = ort::init_from(library).map_err(|error| fault(error.to_string()))?;
        let environment = builder
            .with_name("modelctl")
            .with_telemetry(false)
            .with_logger(Arc::new(|level, _, _, location, message| {
                log(level, location, message);
            }))
            .build()
            .map_err(|error| fault(error.to_string()))?;
        environment.set_log_level(LogLevel::Warning);
        Ok(Self {
            library: library.to_path_buf(),
            version,
            environment,
        })
    }
}

/// What matters of ONNX Runtime's messages also comes back as an error; these are for the curious.
fn log(level: LogLevel, location: &str, message: &str) {
    match level {
        LogLevel::Error | LogLevel::Fatal => {
            tracing::warn!(target: "onnxruntime", location, "{message}")
        }
        _ => tracing::debug!(target: "onnxruntime", location, "{message}"),
    }
}
