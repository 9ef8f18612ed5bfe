#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| munjigi_fuzz::run("imports", data));
