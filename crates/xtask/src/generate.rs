//! Code from `proto/`: messages, clients and servers by tonic-prost-build, with
//! protox as the compiler, and the descriptor set for reflection.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use prost::Message;
use prost_types::FileDescriptorSet;

use crate::workspace::{empty_folder, files_below, read_files, root, write_files};

/// Files that are the roots of the public contract; what they import comes along.
const MODULES: [&str; 2] = ["proto", "third_party/googleapis"];
const OUTPUT: &str = "crates/api/src/generated";
const DESCRIPTOR: &str = "descriptor.bin";

/// Writes the generated code, or with `check` fails when it differs from what is there.
pub(crate) fn run(check: bool) -> Result<()> {
    let root = root();
    let output = empty_folder(root.join("target/xtask-generate"))?;
    generate(&root, &output)?;
    let fresh = read_files(&output)?;
    fs::remove_dir_all(&output)?;
    if fresh == read_files(&root.join(OUTPUT))? {
        println!("{OUTPUT} is up to date");
        return Ok(());
    }
    if check {
        bail!("{OUTPUT} is out of date with proto/: run `cargo xtask generate` and commit what it writes");
    }
    write_files(&root.join(OUTPUT), &fresh)?;
    println!("wrote {} files to {OUTPUT}", fresh.len());
    Ok(())
}

fn generate(root: &Path, output: &Path) -> Result<()> {
    let modules = MODULES.map(|module| root.join(module));
    let mut sources = files_below(&modules[0], "proto")?;
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
    remove_needless_allowances(output)
}

/// tonic allows each method a name that is not in camel case; `buf lint` lets none have one.
fn remove_needless_allowances(output: &Path) -> Result<()> {
    for file in files_below(output, "rs")? {
        let code = fs::read_to_string(&file)?;
        let kept = code.split_inclusive('\n').filter(|line| line.trim() != "#[allow(non_camel_case_types)]");
        fs::write(&file, kept.collect::<String>())?;
    }
    Ok(())
}
