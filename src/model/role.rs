//! What a file of a model is for, by content first and by name second.
//!
//! first bytes + path → [`Content`]; content + path → [`Role`]; all contents → the model's format.
//! Nothing is parsed here, let alone unpickled: a few bytes at fixed places decide. Whether a file
//! is an ONNX graph, or holds the external data of one, is the caller's to say.

use super::{FilePath, Role};

/// How many of a file's first bytes [`Content::sniff`] wants to see.
pub const SNIFF_LENGTH: usize = 64;

/// The kind of a file's content, as far as it matters to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    /// An ONNX graph.
    Onnx,
    /// Tensors that an ONNX graph names as external data.
    ExternalData,
    /// A `saved_model.pb` of TensorFlow, or its text form.
    SavedModel,
    /// The variables of a SavedModel.
    SavedModelVariables,
    /// safetensors.
    Safetensors,
    /// GGUF.
    Gguf,
    /// A zip that PyTorch writes: TorchScript or a state dict.
    TorchZip,
    /// A zip of `torch.export`.
    Pt2,
    /// Keras: a zip or HDF5.
    Keras,
    /// A TensorFlow Lite flat buffer.
    Tflite,
    /// Weights of no format known here, by their name.
    Weights,
    /// None of these.
    Unknown,
}

impl Content {
    /// Says what a file is from its path and first bytes (facts of each format: safetensors has a
    /// header length and `{`, GGUF and HDF5 a magic number, PyTorch writes zip archives).
    pub fn sniff(path: &FilePath, head: &[u8]) -> Self {
        let name = path.file_name().to_ascii_lowercase();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let is_zip = head.starts_with(b"PK\x03\x04");
        match extension {
            _ if head.starts_with(b"GGUF") => Self::Gguf,
            _ if head.get(4..8) == Some(b"TFL3") => Self::Tflite,
            "safetensors" if head.get(8) == Some(&b'{') => Self::Safetensors,
            "pt2" if is_zip => Self::Pt2,
            "pt" | "pth" | "jit" | "ts" | "torchscript" if is_zip => Self::TorchZip,
            "keras" | "h5" | "hdf5" if is_zip || head.starts_with(b"\x89HDF\r\n\x1a\n") => {
                Self::Keras
            }
            _ if name == "saved_model.pb" || name == "saved_model.pbtxt" => Self::SavedModel,
            _ if is_variables(path, &name) => Self::SavedModelVariables,
            "pt" | "pth" | "ckpt" | "bin" | "msgpack" | "npz" | "weights" | "caffemodel"
            | "pdiparams" | "params" => Self::Weights,
            _ if extension.starts_with("onnx_data") => Self::Weights,
            _ => Self::Unknown,
        }
    }

    /// Whether a file of this kind travels as a weights layer.
    pub fn is_weights(self) -> bool {
        !matches!(self, Self::Onnx | Self::SavedModel | Self::Unknown)
    }

    /// The format of a model that has such a file, in the order in which formats win.
    fn format(self) -> Option<(u8, &'static str)> {
        match self {
            Self::Onnx => Some((0, "onnx")),
            Self::SavedModel => Some((1, "savedmodel")),
            Self::Gguf => Some((2, "gguf")),
            Self::Safetensors => Some((3, "safetensors")),
            Self::Pt2 => Some((4, "pt2")),
            Self::TorchZip => Some((5, "torchscript")),
            Self::Keras => Some((6, "keras")),
            Self::Tflite => Some((7, "tflite")),
            Self::ExternalData | Self::SavedModelVariables | Self::Weights | Self::Unknown => None,
        }
    }
}

/// The format of a model with these files: what can be run wins over what only holds weights.
pub fn format(contents: impl IntoIterator<Item = Content>) -> &'static str {
    let best = contents.into_iter().filter_map(Content::format).min();
    best.map_or("other", |(_, name)| name)
}

impl Role {
    /// The role of a file.
    pub fn of(path: &FilePath, content: Content) -> Self {
        match content {
            Content::Onnx | Content::SavedModel => Self::Graph,
            content if content.is_weights() => Self::Weights,
            _ => by_name(&path.file_name().to_ascii_lowercase()),
        }
    }
}

/// `variables/variables.index` and `variables/variables.data-NNNNN-of-NNNNN`.
fn is_variables(path: &FilePath, name: &str) -> bool {
    let folder = path.parent().rsplit('/').next();
    folder == Some("variables")
        && (name == "variables.index" || name.starts_with("variables.data-"))
}

fn by_name(name: &str) -> Role {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let is_text = matches!(extension, "" | "txt" | "md" | "rst");
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| stem.starts_with(prefix));
    if is_text && begins(&["license", "licence", "copying", "notice"]) {
        return Role::License;
    }
    if is_text && begins(&["readme", "model_card", "modelcard", "changelog"]) {
        return Role::Doc;
    }
    let is_data = matches!(extension, "txt" | "json" | "csv" | "names" | "yaml" | "yml");
    if is_data && (stem.contains("labels") || begins(&["classes", "class_names", "synset"])) {
        return Role::Labels;
    }
    if begins(&[
        "tokenizer",
        "vocab",
        "merges",
        "special_tokens",
        "added_tokens",
    ]) || matches!(extension, "spm" | "bpe" | "tiktoken")
        || matches!(name, "spiece.model" | "sentencepiece.model")
    {
        return Role::Tokenizer;
    }
    match extension {
        "json" | "yaml" | "yml" | "toml" | "ini" | "cfg" | "conf" | "jinja" => Role::Config,
        "md" | "rst" | "pdf" => Role::Doc,
        "py" | "ipynb" | "sh" | "rs" | "c" | "cc" | "cpp" | "h" | "hpp" | "js" | "java" | "go" => {
            Role::Code
        }
        _ => Role::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(path: &str, head: &[u8]) -> Content {
        Content::sniff(&path.parse().unwrap(), head)
    }

    #[test]
    fn content_decides_before_the_name() {
        assert_eq!(content("x.bin", b"GGUF\x03\0\0\0"), Content::Gguf);
        assert_eq!(content("m", b"GGUF"), Content::Gguf);
        let safetensors = b"\x40\0\0\0\0\0\0\0{\"a\"";
        assert_eq!(content("a.safetensors", safetensors), Content::Safetensors);
        assert_eq!(content("a.pt", b"PK\x03\x04"), Content::TorchZip);
        assert_eq!(content("a.pt", b"\x80\x02"), Content::Weights);
        assert_eq!(content("a.h5", b"\x89HDF\r\n\x1a\n"), Content::Keras);
        assert_eq!(content("m/saved_model.pb", b""), Content::SavedModel);
        let variables = "m/variables/variables.data-00000-of-00001";
        assert_eq!(content(variables, b""), Content::SavedModelVariables);
        assert_eq!(content("notes.zip", b"PK\x03\x04"), Content::Unknown);
    }

    #[test]
    fn names_give_roles() {
        let expected = [
            ("LICENSE", Role::License),
            ("sub/LICENCE.txt", Role::License),
            ("README.md", Role::Doc),
            ("model_card.md", Role::Doc),
            ("labels.txt", Role::Labels),
            ("imagenet_labels.json", Role::Labels),
            ("tokenizer.json", Role::Tokenizer),
            ("tokenizer_config.json", Role::Tokenizer),
            ("merges.txt", Role::Tokenizer),
            ("vocab.txt", Role::Tokenizer),
            ("config.json", Role::Config),
            ("train.py", Role::Code),
            ("picture.png", Role::Other),
        ];
        for (path, role) in expected {
            let path = path.parse().unwrap();
            assert_eq!(Role::of(&path, Content::Unknown), role, "{path}");
        }
    }

    #[test]
    fn format_is_that_of_what_can_be_run() {
        assert_eq!(format([Content::Safetensors, Content::Onnx]), "onnx");
        assert_eq!(format([Content::Weights, Content::Unknown]), "other");
        assert_eq!(format([]), "other");
    }
}
