//! Reads the folder of one's own pages: `templates/*.html`, `locales/*.ftl`, `static/*`.
//!
//! Everything is read once, into memory, so that a request never names a file. What is not inside the folder is not read, also
//! where a link inside leads out of it; what is hidden is not looked at.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::assets;
use super::report::{Report, nearest};
use super::sources::{Sources, TEMPLATES};

/// Most bytes of a template, a message file or a style sheet.
const MOST_TEXT: u64 = 256 * 1024;
/// Most bytes of another file to be served.
const MOST_FILE: u64 = 512 * 1024;
/// Most files in one of the folders.
const MOST_FILES: usize = 100;
/// Most characters of a file's name.
const MOST_NAME: usize = 64;

/// The folders that are looked into.
const FOLDERS: [&str; 3] = ["templates", "locales", "static"];

/// A message file of one's own, for the check.
pub(super) struct OwnMessages {
    pub(super) place: String,
    pub(super) tag: String,
    pub(super) source: String,
}

/// A template of one's own, for the check.
pub(super) struct OwnTemplate {
    pub(super) place: String,
    pub(super) name: String,
    pub(super) source: String,
}

/// What is in the folder, besides what is served.
#[derive(Default)]
pub(super) struct Folder {
    pub(super) templates: Vec<OwnTemplate>,
    pub(super) messages: Vec<OwnMessages>,
    /// The style sheet that is laid over ours.
    pub(super) theme: Option<String>,
}

/// Reads a folder into `sources`; what cannot be used is noted.
pub(super) fn read(folder: &Path, sources: &mut Sources, report: &mut Report) -> Folder {
    let root = match folder.canonicalize() {
        Ok(root) if root.is_dir() => root,
        Ok(_) => {
            report.fault("pages.folder", None, format!("{} is no folder", folder.display()));
            return Folder::default();
        }
        Err(error) => {
            report.fault("pages.folder", None, format!("{}: {error}", folder.display()));
            return Folder::default();
        }
    };
    let mut reading = Reading { root, sources, report, found: Folder::default() };
    reading.all();
    reading.found
}

const OUTSIDE: &str = "leads out of the folder; put the file itself here";

fn most(name: &str) -> u64 {
    let text = ["html", "ftl", "css"].iter().any(|end| name.ends_with(&format!(".{end}")));
    if text { MOST_TEXT } else { MOST_FILE }
}

/// A folder that is being read.
struct Reading<'a> {
    root: PathBuf,
    sources: &'a mut Sources,
    report: &'a mut Report,
    found: Folder,
}

impl Reading<'_> {
    fn all(&mut self) {
        for (name, path) in self.entries(&self.root.clone()) {
            if path.is_dir() && !FOLDERS.contains(&name.as_str()) {
                self.report.fault(&name, None, "not a folder of pages; there may be templates, locales and static");
            }
        }
        for kind in FOLDERS {
            let below = self.root.join(kind);
            // A link that leads nowhere is there too.
            if below.symlink_metadata().is_err() {
                continue;
            }
            if !below.canonicalize().is_ok_and(|below| below.starts_with(&self.root)) {
                self.report.fault(kind, None, OUTSIDE);
                continue;
            }
            let entries = self.entries(&below);
            if entries.len() > MOST_FILES {
                self.report.fault(kind, None, format!("more than {MOST_FILES} files"));
            }
            for (name, path) in entries.into_iter().take(MOST_FILES) {
                let place = format!("{kind}/{name}");
                match bytes(&self.root, &path, most(&name)) {
                    Ok(bytes) if kind == "static" => self.put_file(&place, &name, bytes),
                    Ok(bytes) => self.put_text(kind, &place, &name, bytes),
                    Err(what) => self.report.fault(&place, None, what),
                }
            }
        }
    }

    /// Names and paths, in order; what is hidden is passed over, as editors and mounted volumes leave it there.
    fn entries(&mut self, folder: &Path) -> Vec<(String, PathBuf)> {
        let read = || -> io::Result<Vec<_>> { fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect() };
        let mut paths = read().unwrap_or_else(|error| {
            self.report.fault(&folder.display().to_string(), None, error.to_string());
            vec![]
        });
        paths.sort();
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let named = paths.into_iter().map(|path| (name(&path), path));
        named.filter(|(name, _)| !name.starts_with('.') && !name.ends_with('~')).collect()
    }

    fn put_text(&mut self, kind: &str, place: &str, name: &str, bytes: Vec<u8>) {
        let Ok(source) = String::from_utf8(bytes) else { return self.report.fault(place, None, "is not UTF-8") };
        let place = place.to_owned();
        match (kind, name.rsplit_once('.')) {
            ("templates", Some((_, "html"))) => self.put_template(place, name, source),
            ("locales", Some((tag, "ftl"))) => {
                self.found.messages.push(OwnMessages { place, tag: tag.to_owned(), source });
            }
            ("templates", _) => self.report.fault(&place, None, "templates end in .html"),
            _ => self.report.fault(&place, None, "message files end in .ftl, and are called as their language: ja.ftl"),
        }
    }

    fn put_template(&mut self, place: String, name: &str, source: String) {
        let built_in = TEMPLATES.iter().any(|(known, _)| *known == name);
        if !built_in && !name.starts_with('_') {
            let meant = nearest(name, TEMPLATES.iter().map(|(known, _)| *known));
            let meant = meant.map_or_else(|| ".".to_owned(), |meant| format!("; do you mean {meant}?"));
            let what = format!("no page has that name{meant} A part of your own begins with an underscore");
            return self.report.fault(&place, None, what);
        }
        let does = if built_in { "takes the place of the built-in template" } else { "a part of your own" };
        self.report.owns(&place, does);
        self.sources.put_template(name, source.clone());
        self.found.templates.push(OwnTemplate { place, name: name.to_owned(), source });
    }

    fn put_file(&mut self, place: &str, name: &str, bytes: Vec<u8>) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if name.len() > MOST_NAME || !name.bytes().all(plain) {
            let what = format!("name it with up to {MOST_NAME} of A-Z a-z 0-9 . - _");
            return self.report.fault(place, None, what);
        }
        if assets::kind(name).is_none() {
            let what = format!("such files are not served; these are: {}", assets::kinds());
            return self.report.fault(place, None, what);
        }
        if name == "munjigi.js" {
            let what = "the script goes with the server and cannot be replaced; give yours another name";
            return self.report.fault(place, None, what);
        }
        let size = bytes.len();
        if name == "theme.css" {
            let Ok(text) = String::from_utf8(bytes) else { return self.report.fault(place, None, "is not UTF-8") };
            self.found.theme = Some(text);
            return self.report.owns(place, format!("{size} bytes, laid over the style sheet"));
        }
        let instead =
            if self.sources.assets.hashed_name(name).is_some() { ", in the place of the built-in one" } else { "" };
        self.report.owns(place, format!("{size} bytes{instead}"));
        self.sources.assets.put(name, bytes.into());
    }
}

fn bytes(root: &Path, path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let real = path.canonicalize().map_err(|error| error.to_string())?;
    if !real.starts_with(root) {
        return Err(OUTSIDE.to_owned());
    }
    read_file(&real, most)
}

/// A file, if it is one, and not larger than `most`.
pub(super) fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let about = path.metadata().map_err(|error| error.to_string())?;
    // A pipe would keep the server from starting.
    if !about.is_file() {
        return Err("is no file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > most {
        return Err(format!("{} bytes, and more than {most} are not served: make it smaller", about.len()));
    }
    Ok(bytes)
}
