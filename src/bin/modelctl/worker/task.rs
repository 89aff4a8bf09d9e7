//! What a worker does with ONNX Runtime, and what it reports.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use modelctl::model::{FilePath, ModelDir};
use modelctl::run::{
    self, Engine, InferOptions, RecordOptions, SessionOptions, SmokeOptions, Tolerance,
};
use modelctl::{Error, verify};
use serde::{Deserialize, Serialize};

use super::evidence;
use crate::failure::Failure;
use crate::options::InputArgs;
use crate::output::Output;
use crate::reports::{FindingsReport, InferenceReport, Recorded, SmokeTestReport};

/// What is to be done.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Verify a folder, then run its smoke tests.
    Smoke(Smoke),
    /// Verify a folder, then run a graph once.
    Infer(Infer),
    /// Run the packer's own graphs, and write what they gave as smoke tests.
    Record(Record),
}

/// Smoke tests of a folder.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Smoke {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) graph: Option<FilePath>,
    pub(crate) rtol: Option<f64>,
    pub(crate) atol: Option<f64>,
    pub(crate) inputs: InputArgs,
    pub(crate) threads: usize,
    /// Where to write the record of the test, and when it began.
    pub(crate) record: Option<(SystemTime, PathBuf)>,
}

/// One run of one graph of a folder.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Infer {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) graph: Option<FilePath>,
    pub(crate) inputs: Vec<(String, PathBuf)>,
    pub(crate) output: Option<PathBuf>,
    pub(crate) threads: usize,
}

/// A recording.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) root: PathBuf,
    pub(crate) graphs: Vec<FilePath>,
    pub(crate) cases: u32,
    pub(crate) inputs: InputArgs,
    pub(crate) target: PathBuf,
}

/// What a task gave.
pub(crate) enum Report {
    /// The folder is not what its model manifest says, so nothing was run.
    Unverified(FindingsReport),
    /// Smoke tests.
    Smoke(SmokeTestReport),
    /// Outputs.
    Inference(InferenceReport),
    /// Smoke tests that were made.
    Recorded(Vec<Recorded>),
}

impl Task {
    /// The folder that somebody else made, if there is one.
    pub(crate) fn untrusted(&self) -> Option<PathBuf> {
        match self {
            Self::Smoke(task) => Some(task.folder.clone()),
            Self::Infer(task) => Some(task.folder.clone()),
            Self::Record(_) => None,
        }
    }

    /// Does it, with the library at this path. Blocks.
    pub(crate) fn run(self, library: &Path) -> Result<Report, Error> {
        match self {
            Self::Smoke(task) => match verified(&task.name, &task.folder)? {
                Ok(model) => task.run(Engine::load(library)?, &model).map(Report::Smoke),
                Err(findings) => Ok(Report::Unverified(findings)),
            },
            Self::Infer(task) => match verified(&task.name, &task.folder)? {
                Ok(model) => task
                    .run(Engine::load(library)?, &model)
                    .map(Report::Inference),
                Err(findings) => Ok(Report::Unverified(findings)),
            },
            Self::Record(task) => task.run(Engine::load(library)?).map(Report::Recorded),
        }
    }
}

/// The folder, if it is what its model manifest says; what was found, if it is not.
fn verified(name: &str, folder: &Path) -> Result<Result<ModelDir, FindingsReport>, Error> {
    let report = verify::directory(folder)?;
    Ok(report.directory.ok_or(FindingsReport {
        name: name.to_owned(),
        digest: None,
        findings: report.findings,
    }))
}

impl Smoke {
    fn run(self, engine: &Engine, model: &ModelDir) -> Result<SmokeTestReport, Error> {
        let has_input_options = self.inputs.shapes_inputs();
        let options = SmokeOptions {
            graph: self.graph,
            rtol: self.rtol,
            atol: self.atol,
            inputs: self.inputs.into(),
            session: SessionOptions {
                threads: self.threads,
            },
        };
        let report = run::smoke_test(engine, model, &options)?;
        if let Some(record) = &self.record {
            evidence::write(&report, self.threads, record)?;
        }
        let all_stored = report.cases.iter().all(|case| case.case.is_some());
        Ok(SmokeTestReport {
            name: self.name,
            has_unused_options: has_input_options && all_stored,
            report,
        })
    }
}

impl Infer {
    fn run(self, engine: &Engine, model: &ModelDir) -> Result<InferenceReport, Error> {
        let options = InferOptions {
            graph: self.graph,
            inputs: self.inputs,
            session: SessionOptions {
                threads: self.threads,
            },
        };
        let inference = run::infer(engine, model, &options)?;
        match self.output {
            Some(folder) => Ok(InferenceReport::Files(inference.write(&folder)?)),
            None => Ok(InferenceReport::Values(inference.to_json()?)),
        }
    }
}

impl Record {
    fn run(self, engine: &Engine) -> Result<Vec<Recorded>, Error> {
        let options = RecordOptions {
            cases: self.cases,
            inputs: self.inputs.into(),
            tolerance: Tolerance::default(),
        };
        let source = (self.root.as_path(), self.graphs.as_slice());
        let recordings = run::record(engine, source, &options, &self.target)?;
        let recorded = recordings.into_iter().map(|recording| Recorded {
            graph: recording.graph,
            folder: recording.folder,
            left_out: recording.left_out,
        });
        Ok(recorded.collect())
    }
}

impl Report {
    /// Writes it, and fails where it says that something is wrong.
    pub(crate) fn show(self, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::Unverified(findings) => {
                output.report(&findings)?;
                findings.verdict()
            }
            Self::Smoke(smoke) => {
                output.report(&smoke)?;
                smoke.verdict(output)
            }
            Self::Inference(inference) => Ok(output.report(&inference)?),
            Self::Recorded(recorded) => {
                let json = serde_json::to_vec(&recorded).map_err(std::io::Error::from)?;
                Ok(output.raw(&json)?)
            }
        }
    }
}
