//! The contracts: nothing changes unreviewed, and everything says what it is.

use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use prost::Message as _;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

use crate::support::golden;

fn ours(set: &FileDescriptorSet) -> impl Iterator<Item = &FileDescriptorProto> {
    set.file.iter().filter(|file| file.package().starts_with("upswell."))
}

#[test]
fn contracts_change_only_with_their_golden() {
    let set = FileDescriptorSet::decode(upswell_proto::DESCRIPTORS).unwrap();
    let mut files: Vec<_> = ours(&set).collect();
    files.sort_by_key(|file| file.name().to_owned());
    let mut text = String::new();
    for file in files {
        writeln!(text, "{} package {}", file.name(), file.package()).unwrap();
        for service in &file.service {
            for method in &service.method {
                let (input, output) = (method.input_type(), method.output_type());
                writeln!(
                    text,
                    "  rpc {}/{}({input}) returns ({output})",
                    service.name(),
                    method.name()
                )
                .unwrap();
            }
        }
        file.message_type
            .iter()
            .for_each(|message| write_message(&mut text, "  ", message));
        file.enum_type
            .iter()
            .for_each(|words| write_enum(&mut text, "  ", words));
    }
    golden("contracts.txt", &text);
}

fn write_message(text: &mut String, indent: &str, message: &DescriptorProto) {
    writeln!(text, "{indent}message {}", message.name()).unwrap();
    let deeper = format!("{indent}  ");
    for field in &message.field {
        writeln!(
            text,
            "{deeper}{} = {}: {}",
            field.name(),
            field.number(),
            type_of(message, field)
        )
        .unwrap();
    }
    message
        .nested_type
        .iter()
        .for_each(|nested| write_message(text, &deeper, nested));
    message
        .enum_type
        .iter()
        .for_each(|words| write_enum(text, &deeper, words));
}

fn type_of(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let base = match field.r#type() {
        Type::Message | Type::Enum => field.type_name().to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    };
    let repeated = if field.label() == Label::Repeated {
        "repeated "
    } else {
        ""
    };
    let oneof = match field.oneof_index {
        Some(_) if field.proto3_optional() => " optional".to_owned(),
        Some(index) => format!(" in {}", message.oneof_decl[usize::try_from(index).unwrap()].name()),
        None => String::new(),
    };
    format!("{repeated}{base}{oneof}")
}

fn write_enum(text: &mut String, indent: &str, words: &EnumDescriptorProto) {
    writeln!(text, "{indent}enum {}", words.name()).unwrap();
    for value in &words.value {
        writeln!(text, "{indent}  {} = {}", value.name(), value.number()).unwrap();
    }
}

#[test]
fn every_element_of_the_contracts_says_what_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto");
    let set = FileDescriptorSet::decode(upswell_proto::DESCRIPTORS).unwrap();
    let names: Vec<_> = ours(&set).map(|file| root.join(file.name())).collect();
    let mut compiler = protox::Compiler::new([&root]).unwrap();
    compiler.include_source_info(true).open_files(names).unwrap();
    let mut silent = Vec::new();
    for file in ours(&compiler.file_descriptor_set()) {
        let told: BTreeSet<Vec<i32>> = file
            .source_code_info
            .iter()
            .flat_map(|info| &info.location)
            .filter(|location| {
                location
                    .leading_comments
                    .as_deref()
                    .is_some_and(|text| !text.trim().is_empty())
            })
            .map(|location| location.path.clone())
            .collect();
        for (path, name) in elements(file) {
            if !told.contains(&path) {
                silent.push(format!("{}: {name}", file.name()));
            }
        }
    }
    assert!(silent.is_empty(), "without a comment:\n{}", silent.join("\n"));
}

/// Every element of a file with its path in the descriptor, as `SourceCodeInfo` counts it.
fn elements(file: &FileDescriptorProto) -> Vec<(Vec<i32>, String)> {
    let mut found = Vec::new();
    for (index, message) in (0..).zip(&file.message_type) {
        message_elements(vec![4, index], message, message.name(), &mut found);
    }
    for (index, words) in (0..).zip(&file.enum_type) {
        enum_elements(vec![5, index], words, words.name(), &mut found);
    }
    for (index, service) in (0..).zip(&file.service) {
        found.push((vec![6, index], service.name().to_owned()));
        for (at, method) in (0..).zip(&service.method) {
            found.push((vec![6, index, 2, at], format!("{}/{}", service.name(), method.name())));
        }
    }
    found
}

fn message_elements(path: Vec<i32>, message: &DescriptorProto, name: &str, found: &mut Vec<(Vec<i32>, String)>) {
    let below = |kind: i32, index: i32| [path.clone(), vec![kind, index]].concat();
    for (index, field) in (0..).zip(&message.field) {
        found.push((below(2, index), format!("{name}.{}", field.name())));
    }
    for (index, nested) in (0..).zip(&message.nested_type) {
        // The compiler makes one for each map, whose comment stands at its field.
        if nested.options.as_ref().is_some_and(|options| options.map_entry()) {
            continue;
        }
        message_elements(below(3, index), nested, &format!("{name}.{}", nested.name()), found);
    }
    for (index, words) in (0..).zip(&message.enum_type) {
        enum_elements(below(4, index), words, &format!("{name}.{}", words.name()), found);
    }
    found.push((path.clone(), name.to_owned()));
}

fn enum_elements(path: Vec<i32>, words: &EnumDescriptorProto, name: &str, found: &mut Vec<(Vec<i32>, String)>) {
    for (index, value) in (0..).zip(&words.value) {
        found.push((
            [path.clone(), vec![2, index]].concat(),
            format!("{name}.{}", value.name()),
        ));
    }
    found.push((path, name.to_owned()));
}
