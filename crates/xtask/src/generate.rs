//! Code from `proto/`: messages, clients and servers by tonic-prost-build, with
//! protox as the compiler, and the descriptor set for reflection.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use prost::Message;
use prost_types::FileDescriptorSet;

/// Files that are the roots of the public contract; what they import comes along.
const MODULES: [&str; 2] = ["proto", "third_party/googleapis"];
const OUTPUT: &str = "crates/api/src/generated";
const DESCRIPTOR: &str = "descriptor.bin";

/// Writes the generated code, or with `check` fails when it differs from what is there.
pub(crate) fn run(check: bool) -> Result<()> {
    let root = workspace_root();
    let fresh = empty_folder(&root)?;
    generate(&root, &fresh)?;
    let (fresh_files, committed_files) = (read_files(&fresh)?, read_files(&root.join(OUTPUT))?);
    fs::remove_dir_all(&fresh)?;
    if fresh_files == committed_files {
        println!("{OUTPUT} is up to date");
        return Ok(());
    }
    if check {
        bail!("{OUTPUT} is out of date with proto/: run `cargo xtask generate` and commit what it writes");
    }
    for stale in committed_files.keys().filter(|name| !fresh_files.contains_key(*name)) {
        fs::remove_file(root.join(OUTPUT).join(stale))?;
    }
    for (name, content) in &fresh_files {
        fs::write(root.join(OUTPUT).join(name), content)?;
    }
    println!("wrote {} files to {OUTPUT}", fresh_files.len());
    Ok(())
}

fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("crates/xtask is two below the root").to_owned()
}

fn empty_folder(root: &Path) -> Result<PathBuf> {
    let folder = root.join("target/xtask-generate");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn generate(root: &Path, output: &Path) -> Result<()> {
    let modules = MODULES.map(|module| root.join(module));
    let mut sources = Vec::new();
    collect_protos(&modules[0], &mut sources)?;
    sources.push(modules[1].join("google/longrunning/operations.proto"));
    sources.push(modules[1].join("google/rpc/error_details.proto"));
    sources.sort();

    let mut compiler = protox::Compiler::new(modules)?;
    compiler.include_source_info(true).include_imports(true).open_files(&sources)?;
    fs::write(output.join(DESCRIPTOR), compiler.encode_file_descriptor_set())?;
    let descriptors = FileDescriptorSet::decode(&*compiler.encode_file_descriptor_set())?;
    let mut configuration = prost_build::Config::new();
    configuration.enable_type_names();
    tonic_prost_build::configure()
        .btree_map(".")
        .include_file("mod.rs")
        .out_dir(output)
        .compile_fds_with_config(descriptors, configuration)
        .context("generating code")?;
    Ok(())
}

fn collect_protos(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect_protos(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            found.push(path);
        }
    }
    Ok(())
}

fn read_files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.insert(name, fs::read(&path)?);
    }
    Ok(files)
}
