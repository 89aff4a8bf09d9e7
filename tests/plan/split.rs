//! How ONNX models are split: shards, graphs without weights, skeletons.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;

use modelctl::onnx::{self, Content, Tensor};
use modelctl::plan::{ArtifactPlan, LayerKind};

use crate::support::models::{self, FLOAT, INT64, external_sum, floats, inline_sum};
use crate::support::plans::{digests, files, layers, paths, plan, write};

/// One MiB of floats.
const MIB: usize = 1024 * 1024 / 4;

/// A plan, and the content of its layers.
struct Packed {
    plan: ArtifactPlan,
    layers: BTreeMap<String, Vec<u8>>,
}

/// Writes files, plans them, and checks that they come back as they were and that every graph layer
/// names bytes that are there.
fn round_trip(originals: &[(&str, Vec<u8>)]) -> Packed {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), originals);
    let plan = plan(folder.path());
    let layers = layers(&plan);
    let rebuilt = files(&plan);
    assert_eq!(rebuilt.len(), originals.len());
    for (path, content) in originals {
        assert!(rebuilt[*path] == *content, "{path} came back changed");
    }
    for path in paths(&plan, LayerKind::Graph) {
        check_graph(path, &rebuilt, &layers);
    }
    Packed { plan, layers }
}

/// Checks that a graph layer holds the tensors of its graph, where it says that they are.
fn check_graph(
    path: &str,
    originals: &BTreeMap<String, Vec<u8>>,
    layers: &BTreeMap<String, Vec<u8>>,
) {
    let before = onnx::read(&originals[path]).unwrap().tensors;
    let after = onnx::read(&layers[path]).unwrap().tensors;
    assert_eq!(before.len(), after.len());
    for (old, new) in before.iter().zip(&after) {
        assert_eq!((&old.name, &old.shape), (&new.name, &new.shape));
        let (old, new) = (value(path, old, originals), value(path, new, layers));
        assert!(old == new, "{path} lost a tensor");
    }
}

/// The bytes of a tensor.
fn value<'a>(path: &str, tensor: &Tensor, files: &'a BTreeMap<String, Vec<u8>>) -> &'a [u8] {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let (file, offset, length) = match &tensor.content {
        Content::Inline { offset, length } => (path.to_owned(), *offset, *length),
        Content::External {
            location,
            offset,
            length,
        } if folder.is_empty() => (location.clone(), *offset, *length),
        Content::External {
            location,
            offset,
            length,
        } => (format!("{folder}/{location}"), *offset, *length),
        Content::Bound => return &[],
    };
    &files[&file][offset as usize..][..length as usize]
}

#[test]
fn large_tensors_stand_alone_and_small_ones_together() {
    let model = inline_sum(&[
        ("tiny", 10, 1),
        ("small_b", 2000, 2),
        ("large_b", 2 * MIB, 3),
        ("small_a", 3000, 4),
        ("large_a", MIB, 5),
    ]);
    let Packed { plan, layers } = round_trip(&[("m.onnx", model.clone())]);
    let shards = ["m.onnx_data_0", "m.onnx_data_1", "m.onnx_data_2"];
    assert_eq!(paths(&plan, LayerKind::Weights), shards);
    assert_eq!(layers[shards[0]], floats(5, MIB));
    assert_eq!(layers[shards[1]], floats(3, 2 * MIB));
    let mut together = floats(2, 2000);
    together.resize(8192, 0);
    together.extend(floats(4, 3000));
    assert_eq!(layers[shards[2]], together);
    let manifest = &plan.model_manifest;
    let by_name = |name: &str| manifest.tensors.iter().find(|tensor| tensor.name == name);
    assert_eq!(by_name("large_a").unwrap().sha256, None);
    let small = by_name("small_a").unwrap();
    assert_eq!((small.layer, small.offset, small.length), (3, 8192, 12000));
    let digest = modelctl::oci::Digest::sha256(&floats(4, 3000));
    assert_eq!(small.sha256.unwrap().digest(), digest);
    assert!(by_name("tiny").is_none());
    assert!(layers["m.onnx"].len() < 2000);
    assert_eq!(
        layers[".modelctl/skeleton/m.onnx"].len(),
        model.len() - 4 * (3 * MIB + 5000)
    );
}

#[test]
fn retrained_model_keeps_its_graph_layer_and_its_other_shards() {
    let tensors = |seed| {
        [
            ("a", MIB, 1),
            ("b", MIB, seed),
            ("c", 900, 3),
            ("d", 800, 4),
        ]
    };
    let first = round_trip(&[("m.onnx", inline_sum(&tensors(2)))]);
    let second = round_trip(&[("m.onnx", inline_sum(&tensors(9)))]);
    for kind in [LayerKind::Graph, LayerKind::Skeleton] {
        assert_eq!(digests(&first.plan, kind), digests(&second.plan, kind));
    }
    let (first, second) = (
        digests(&first.plan, LayerKind::Weights),
        digests(&second.plan, LayerKind::Weights),
    );
    let changed: Vec<usize> = (0..3).filter(|n| first[*n] != second[*n]).collect();
    assert_eq!(changed, [1]);
}

#[test]
fn reordered_and_extended_model_keeps_its_shards() {
    let names: Vec<String> = (0..120).map(|n| format!("layer.{n}.weight")).collect();
    let tensors = |order: &dyn Fn(usize) -> usize| -> Vec<(&str, usize, u64)> {
        let numbers = (0..names.len()).map(order);
        numbers
            .map(|n| (names[n].as_str(), MIB / 2 + n, n as u64))
            .collect()
    };
    let before = round_trip(&[("m.onnx", inline_sum(&tensors(&|n| n)))]);
    let mut changed = tensors(&|n| 119 - n);
    changed.insert(7, ("one.more", MIB / 5, 999));
    let after = round_trip(&[("m.onnx", inline_sum(&changed))]);
    let (before, after) = (
        digests(&before.plan, LayerKind::Weights),
        digests(&after.plan, LayerKind::Weights),
    );
    assert!((4..8).contains(&before.len()), "{} shards", before.len());
    let lost = before
        .iter()
        .filter(|digest| !after.contains(digest))
        .count();
    assert!(lost <= 2, "{lost} of {} shards lost", before.len());
}

#[test]
fn model_with_nothing_to_take_out_is_its_graph_layer() {
    let model = inline_sum(&[("w", 100, 1)]);
    let Packed { plan, layers } = round_trip(&[("m.onnx", model.clone())]);
    assert_eq!(paths(&plan, LayerKind::Graph), ["m.onnx"]);
    assert_eq!(plan.layers.len(), 2);
    assert_eq!(layers["m.onnx"], model);
}

#[test]
fn small_external_tensors_keep_their_file_where_nothing_leaves_it() {
    let model = external_sum("w.bin", &[("a", 100, 0), ("b", 100, 400)]);
    let Packed { plan, layers } =
        round_trip(&[("m.onnx", model.clone()), ("w.bin", floats(1, 200))]);
    assert_eq!(layers["m.onnx"], model);
    assert_eq!(paths(&plan, LayerKind::Weights), ["w.bin"]);
}

#[test]
fn external_data_leaves_for_shards_and_small_tensors_come_in() {
    let model = external_sum(
        "sub/w.bin",
        &[("large", MIB, 4096), ("small", 100, 16), ("mid", 2000, 0)],
    );
    let Packed { plan, layers } =
        round_trip(&[("m.onnx", model), ("sub/w.bin", floats(1, MIB + 5000))]);
    assert_eq!(paths(&plan, LayerKind::Weights), ["m.onnx_data_0"]);
    assert_eq!(
        paths(&plan, LayerKind::Skeleton),
        [".modelctl/skeleton/m.onnx", ".modelctl/skeleton/sub/w.bin"]
    );
    let graph = onnx::read(&layers["m.onnx"]).unwrap();
    assert!(matches!(
        graph.tensors[1].content,
        Content::Inline { length: 400, .. }
    ));
}

#[test]
fn region_that_two_graphs_share_is_one_region_in_the_deepest_folder() {
    let data = floats(1, MIB + 2000);
    let Packed { plan, layers } = round_trip(&[
        (
            "decoder.onnx",
            external_sum("sub/w.bin", &[("w", MIB, 0), ("own", 2000, 4 * MIB as u64)]),
        ),
        (
            "sub/encoder.onnx",
            external_sum("w.bin", &[("weight", MIB, 0)]),
        ),
        ("sub/w.bin", data.clone()),
    ]);
    let expected = ["decoder.onnx_data_0", "sub/encoder.onnx_data_0"];
    assert_eq!(paths(&plan, LayerKind::Weights), expected);
    let stored: usize = expected.iter().map(|path| layers[*path].len()).sum();
    assert_eq!(stored, data.len());
    let tensors = &plan.model_manifest.tensors;
    let of = |graph: &str, name: &str| {
        let found = tensors
            .iter()
            .find(|t| t.graph.as_str() == graph && t.name == name);
        let tensor = found.unwrap();
        (tensor.layer, tensor.offset)
    };
    assert_eq!(of("decoder.onnx", "w"), of("sub/encoder.onnx", "weight"));
}

#[test]
fn overlapping_regions_are_one() {
    let tensors = [
        ("a", MIB, 0),
        ("b", MIB, 2 * MIB as u64),
        ("inside", 1000, 400),
    ];
    let Packed { plan, layers } = round_trip(&[
        ("m.onnx", external_sum("w", &tensors)),
        ("w", floats(1, 2 * MIB)),
    ]);
    assert_eq!(paths(&plan, LayerKind::Weights), ["m.onnx_data_0"]);
    assert_eq!(layers["m.onnx_data_0"], floats(1, MIB + MIB / 2));
    let sum = plan
        .model_manifest
        .tensors
        .iter()
        .map(|tensor| tensor.length)
        .sum::<u64>();
    assert_eq!(sum, 8 * MIB as u64 + 4000);
}

#[test]
fn shard_names_avoid_the_names_of_files() {
    let Packed { plan, layers } = round_trip(&[
        (
            "m.onnx",
            inline_sum(&[("a", MIB, 1), ("b", MIB, 2), ("c", MIB, 3)]),
        ),
        ("m.onnx_data_0", vec![1]),
        ("M.ONNX_DATA_2", vec![2]),
    ]);
    assert_eq!(layers["m.onnx_data_0"], [1]);
    let weights = paths(&plan, LayerKind::Weights);
    let shards: Vec<&str> = weights
        .into_iter()
        .filter(|path| path.starts_with("m.onnx_data_"))
        .collect();
    assert_eq!(
        shards,
        [
            "m.onnx_data_1",
            "m.onnx_data_3",
            "m.onnx_data_4",
            "m.onnx_data_0"
        ]
    );
}

#[test]
fn tensors_with_equal_or_missing_names_are_kept_apart() {
    let tensor = |name: &str, seed| {
        (
            ("x"),
            models::tensor(name, FLOAT, &[500], &floats(seed, 500)),
        )
    };
    let model = models::sum(&[
        tensor("", 1),
        tensor("same", 2),
        tensor("same", 3),
        tensor("", 4),
    ]);
    let Packed { plan, .. } = round_trip(&[("m.onnx", model)]);
    assert_eq!(plan.model_manifest.tensors.len(), 4);
}

#[test]
fn shapes_stay_inline() {
    let raw = vec![0; 4096];
    let shape = ("shape", models::tensor("shape", INT64, &[512], &raw));
    let weight = ("w", models::tensor("w", FLOAT, &[2000], &floats(1, 2000)));
    let Packed { plan, .. } = round_trip(&[("m.onnx", models::sum(&[shape, weight]))]);
    let names = plan
        .model_manifest
        .tensors
        .iter()
        .map(|tensor| tensor.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["w"]);
}

/// A hub's cache keeps models as links to files with other names.
#[test]
fn single_file_behind_a_link_keeps_the_name_it_was_called_by() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[("blobs/4a4b", inline_sum(&[("w", 1000, 1)]))],
    );
    let link = folder.path().join("model.onnx");
    symlink("blobs/4a4b", &link).unwrap();
    assert_eq!(paths(&plan(&link), LayerKind::Graph), ["model.onnx"]);
}

/// No loader minds if external data stands in another model, so packing does not either.
#[test]
fn external_data_may_stand_in_a_graph() {
    let other = inline_sum(&[("a", 1000, 1), ("b", 1000, 2)]);
    let Packed { plan, .. } = round_trip(&[
        ("m.onnx", external_sum("other.onnx", &[("w", 1500, 64)])),
        ("other.onnx", other),
    ]);
    assert_eq!(paths(&plan, LayerKind::Graph), ["m.onnx", "other.onnx"]);
    let itself = external_sum("self.onnx", &[("w", 20, 0)]);
    round_trip(&[("self.onnx", itself)]);
}

#[test]
fn single_file_brings_the_external_data_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let model = external_sum("data/w.bin", &[("w", MIB, 0)]);
    write(
        folder.path(),
        &[
            ("m.onnx", model),
            ("data/w.bin", floats(1, MIB)),
            ("other", vec![1]),
        ],
    );
    let of_file = plan(&folder.path().join("m.onnx"));
    let names: Vec<String> = files(&of_file).into_keys().collect();
    assert_eq!(names, ["data/w.bin", "m.onnx"]);
    fs::remove_file(folder.path().join("other")).unwrap();
    assert_eq!(
        of_file.manifest.digest(),
        plan(folder.path()).manifest.digest()
    );
}
