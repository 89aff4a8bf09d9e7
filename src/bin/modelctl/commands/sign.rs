//! `sign`: says that the holder of a key vouches for a model.

mod artifact;
mod folder;

use std::path::PathBuf;

use clap::Args;
use modelctl::oci::Place;

use crate::context::Context;
use crate::failure::Failure;
use crate::options::{PassphraseOptions, RegistryOptions};
use crate::output::Output;

const HELP: &str = "\
Signs the digest of an artifact, as cosign 3 does: a bundle beside it, which `cosign verify --key` \
accepts. A tag is resolved once; the digest that it had is what is signed, and printed. To sign the \
same once more with the same key adds nothing.

Signs all files of a folder, or one file, with OpenSSF Model Signing: `model_signing verify key` \
verifies it, too. A model that is packed is signed with `pack --sign-key`.

Examples:
  modelctl sign registry.example/demo/mlp@sha256:… --key release.key
  modelctl sign registry.example/demo/mlp:v1 --key release.key --legacy --oms
  modelctl sign store:demo/mlp:v1 --key env://SIGNING_KEY -a stage=release
  modelctl sign oci:./layout:v1 --key release.key
  modelctl sign ./model --key release.key -o model.sig
  modelctl sign ./model --key release.key -o ./model/model.sig --ignore-path cache
  modelctl sign ./model --key release.key --certificate leaf.pem --certificate-chain middle.pem
  modelctl verify ./model --signature model.sig --key release.pub";

/// Sign an artifact where it is, or the files of a folder
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct SignArgs {
    /// The artifact, in a registry, the store or a layout; or a folder or file
    #[arg(value_name = "ARTIFACT|DIR|FILE")]
    place: Place,
    /// Private key; `env://NAME` is the key itself in a variable
    #[arg(long, value_name = "KEY")]
    key: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseOptions,
    #[command(flatten)]
    artifact: artifact::ArtifactOptions,
    #[command(flatten)]
    folder: folder::FolderOptions,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Signs what was named.
pub(crate) async fn run(
    args: SignArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    if let Place::Path(path) = args.place {
        unused(args.artifact.first_given(), "is for artifacts")?;
        let key = context.private_key(&args.key, &args.passphrase, output);
        let signer = folder::signer(key.await?, &args.folder, context)?;
        return folder::sign(path, signer, args.folder, output).await;
    }
    unused(args.folder.first_given(), "is for folders and files")?;
    let spot = context.open(&args.place, &args.registry).await?;
    let key = context.private_key(&args.key, &args.passphrase, output);
    let key = key.await?;
    artifact::sign(&spot, &key, &args.artifact, context, output).await
}

/// Refuses an option that would do nothing.
fn unused(option: Option<&'static str>, reason: &str) -> Result<(), Failure> {
    match option {
        Some(option) => Err(Failure::Option {
            option,
            reason: reason.to_owned(),
        }),
        None => Ok(()),
    }
}
