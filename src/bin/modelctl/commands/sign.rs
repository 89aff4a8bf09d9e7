//! `sign`: says that the holder of a key vouches for a model.

mod folder;

use std::path::PathBuf;

use clap::Args;
use modelctl::oci::Place;

use crate::context::Context;
use crate::failure::Failure;
use crate::options::PassphraseOptions;
use crate::output::Output;

const HELP: &str = "\
Signs all files of a folder, or one file, with OpenSSF Model Signing: `model_signing verify key`
verifies it, too. A model that is packed is signed with `pack --sign-key`.

Examples:
  modelctl sign ./model --key release.key -o model.sig
  modelctl sign ./model --key release.key -o ./model/model.sig --ignore-path cache
  modelctl sign ./model --key release.key --certificate leaf.pem --certificate-chain middle.pem
  modelctl verify ./model --signature model.sig --key release.pub";

/// Sign the files of a model
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct SignArgs {
    /// The folder or file
    #[arg(value_name = "DIR|FILE")]
    place: Place,
    /// Private key; `env://NAME` is the key itself in a variable
    #[arg(long, value_name = "KEY")]
    key: PathBuf,
    #[command(flatten)]
    folder: folder::FolderOptions,
    #[command(flatten)]
    passphrase: PassphraseOptions,
}

/// Signs what was named.
pub(crate) async fn run(
    args: SignArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let Place::Path(path) = args.place else {
        return Err(Failure::WrongPlace {
            place: args.place,
            expected: "a file or folder, as in `./model`",
        });
    };
    let key = context.private_key(&args.key, &args.passphrase, output);
    let signer = folder::signer(key.await?, &args.folder, context)?;
    folder::sign(path, signer, args.folder, output).await
}
