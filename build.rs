//! Compiles `proto/` into the gRPC stubs that `src/pb.rs` includes, without `protoc`, and counts the common passwords.

use std::{
    collections::HashSet,
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use protox::{
    Compiler,
    prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor},
};

#[path = "src/domain/password/derived.rs"]
mod derived;

const PROTO_ROOT: &str = "proto";
const PACKAGE: &str = "relatch.v1";

/// What a redacted field prints: `[redacted]`, without quotes.
const REDACTED: &str = "::core::format_args!(\"[redacted]\")";

/// How many common passwords at least the built-in list has that are as long as a password must be (ASVS 6.2.4), and
/// how long that is, in code points.
const LEAST_COMMON: usize = 3_000;
const LEAST_LENGTH: usize = 15;

fn main() -> Result<(), Box<dyn Error>> {
    count_common_passwords()?;
    // Cargo scans the whole directory, so a new file counts as a change too.
    println!("cargo::rerun-if-changed={PROTO_ROOT}");
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is set by cargo")?);

    let mut compiler = Compiler::new([PROTO_ROOT])?;
    compiler
        // Comments become Rust documentation, and `grpcurl describe` shows them.
        .include_source_info(true)
        // Reflection needs the well-known types too.
        .include_imports(true)
        .open_files(proto_files(&Path::new(PROTO_ROOT).join("relatch/v1"))?)?;
    fs::write(
        out_dir.join("descriptors.bin"),
        compiler.encode_file_descriptor_set(),
    )?;

    let secretive: Vec<_> = compiler
        .descriptor_pool()
        .all_messages()
        .filter(|message| {
            message.package_name() == PACKAGE && message.fields().any(|field| is_redacted(&field))
        })
        .collect();
    let debug_impls: String = secretive.iter().map(debug_impls).collect();
    fs::write(out_dir.join("redacted_debug.rs"), debug_impls)?;

    tonic_prost_build::configure()
        .skip_debug(
            secretive
                .iter()
                .map(|message| format!(".{}", message.full_name())),
        )
        // One encoded event goes to many watchers: `Bytes` are shared, not copied.
        .bytes(".relatch.v1.WatchEventsResponse")
        // The order of a BTreeMap is the same in every run.
        .btree_map(".relatch.v1.Event.attributes")
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

/// Refuses to build with a list of common passwords that is too short. What is in ASCII is its own normal form.
fn count_common_passwords() -> Result<(), Box<dyn Error>> {
    let long_enough = |entry: &String| entry.is_ascii() && entry.len() >= LEAST_LENGTH;
    let long: HashSet<String> = derived::entries().filter(long_enough).collect();
    if long.len() < LEAST_COMMON {
        let number = long.len();
        return Err(format!(
            "{number} common passwords are long enough, at least {LEAST_COMMON} must be"
        )
        .into());
    }
    Ok(())
}

/// The proto files in `dir`, in an order that does not depend on the file system.
fn proto_files(dir: &Path) -> Result<Vec<PathBuf>, std::io::Error> {
    let mut files = fs::read_dir(dir)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>, std::io::Error>>()?;
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "proto")
    });
    files.sort();
    Ok(files)
}

/// Whether the field is marked `[debug_redact = true]`.
fn is_redacted(field: &FieldDescriptor) -> bool {
    field
        .options()
        .get_field_by_name("debug_redact")
        .is_some_and(|value| value.as_bool() == Some(true))
}

/// `Debug` for a message with redacted fields, and for its oneofs, in place of prost's, which would print them.
fn debug_impls(message: &MessageDescriptor) -> String {
    let fields: String = message
        .fields()
        .filter(|field| field.containing_oneof().is_none())
        .map(|field| debug_field(field.name(), &struct_value(&field)))
        .chain(
            message
                .oneofs()
                .map(|oneof| debug_field(oneof.name(), &format!("self.{}", oneof.name()))),
        )
        .collect();
    let name = message.name();
    let body = format!("f.debug_struct({name:?}){fields}.finish()");
    let oneofs = message
        .oneofs()
        .map(|oneof| oneof_debug_impl(message, &oneof));
    debug_impl(name, &body) + &oneofs.collect::<String>()
}

fn debug_field(name: &str, value: &str) -> String {
    format!(".field({name:?}, &{value})")
}

/// What stands for a field of a struct in its debug output.
fn struct_value(field: &FieldDescriptor) -> String {
    let name = field.name();
    match field.kind() {
        _ if is_redacted(field) => REDACTED.to_owned(),
        // The getter yields the enum, the field an integer.
        Kind::Enum(_) if !field.is_list() => format!("self.{name}()"),
        _ => format!("self.{name}"),
    }
}

fn oneof_debug_impl(message: &MessageDescriptor, oneof: &OneofDescriptor) -> String {
    let type_name = oneof.name().to_upper_camel_case();
    let arms: String = oneof.fields().map(|field| debug_arm(&field)).collect();
    let path = format!("{}::{type_name}", message.name().to_snake_case());
    debug_impl(&path, &format!("match self {{ {arms} }}"))
}

fn debug_arm(field: &FieldDescriptor) -> String {
    let variant = field.name().to_upper_camel_case();
    let (pattern, value) = if is_redacted(field) {
        ("_", REDACTED)
    } else {
        ("value", "value")
    };
    format!("Self::{variant}({pattern}) => f.debug_tuple({variant:?}).field(&{value}).finish(),")
}

fn debug_impl(path: &str, body: &str) -> String {
    format!(
        "impl ::core::fmt::Debug for {path} {{ \
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {{ {body} }} \
        }}\n"
    )
}
