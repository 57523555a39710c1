// Calls every kernel of libdsk from Rust, through its C functions, and compares what it writes
// with stored references.
//
// usage: check_rust REFERENCES [DEVICE]
//
// REFERENCES is a folder that references.py wrote. All tensors are in the host's memory: a
// stream of DEVICE ("cpu", "cuda", "hip-emulator:gfx942", ...) says where the kernels run. The
// declarations are those of dsk.h that are used here; bindgen would write them all.
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
use std::ffi::{c_char, c_void, CStr, CString};
use std::path::PathBuf;
use std::process::exit;
use std::ptr;

// ---- dsk.h -------------------------------------------------------------------------------

#[repr(C)]
struct Tensor {
    data: *mut c_void,
    device_type: i32,
    device_id: i32,
    rank: i32,
    type_code: u8,
    type_bits: u8,
    type_lanes: u16,
    shape: *const i64,
    strides: *const i64,
    byte_offset: u64,
}

#[repr(C)]
struct Device {
    _private: [u8; 0],
}

#[repr(C)]
struct Stream {
    _private: [u8; 0],
}

type Status = i32;

extern "C" {
    fn dsk_last_error() -> *const c_char;
    fn dsk_device_open(name: *const c_char, device: *mut *mut Device) -> Status;
    fn dsk_device_close(device: *mut Device);
    fn dsk_stream_create(device: *mut Device, stream: *mut *mut Stream) -> Status;
    fn dsk_stream_synchronize(stream: *mut Stream) -> Status;
    fn dsk_stream_destroy(stream: *mut Stream);
}

/// Declares kernels and their _explain functions: parameters are tensors but where they are
/// `f32`.
macro_rules! kernels {
    ($($name:ident $explain:ident ($($parameter:ident: $kind:ty),*);)*) => {
        extern "C" {
            $(fn $name(stream: *mut Stream, $($parameter: $kind),*) -> Status;
              fn $explain(text: *mut c_char, size: u64, stream: *mut Stream,
                          $($parameter: $kind),*) -> Status;)*
        }
    };
}

type Given = *const Tensor;

kernels! {
    dsk_mla_decode dsk_mla_decode_explain(
        q: Given, cache: Given, lengths: Given, table: Given, scale_log2: f32, out: Given,
        lse: Given);
    dsk_sparse_mla dsk_sparse_mla_explain(
        q: Given, kv: Given, indices: Given, length: Given, sink: Given, scale_log2: f32,
        out: Given, max_logits: Given, lse: Given);
    dsk_indexer dsk_indexer_explain(
        q: Given, cache: Given, scale: Given, weights: Given, starts: Given, ends: Given,
        table: Given, logits: Given);
    dsk_topk dsk_topk_explain(x: Given, starts: Given, ends: Given, indices: Given);
    dsk_moe_gate dsk_moe_gate_explain(logits: Given, bias: Given, weights: Given, ids: Given);
    dsk_grouped_gemm dsk_grouped_gemm_explain(a: Given, b: Given, offsets: Given, c: Given);
    dsk_swiglu dsk_swiglu_explain(x: Given, out: Given);
    dsk_moe_combine dsk_moe_combine_explain(
        rows: Given, weights: Given, positions: Given, addend: Given, out: Given);
}

fn fail(message: &str) -> ! {
    eprintln!("{message}");
    exit(1)
}

fn must(status: Status) {
    if status != 0 {
        // The message lives until this thread's next failure.
        let message = unsafe { CStr::from_ptr(dsk_last_error()) };
        fail(&message.to_string_lossy())
    }
}

// ---- arguments ---------------------------------------------------------------------------

/// The kind of a tensor's elements: DLPack's number, and bits.
type Kind = (u8, u8);
const I32: Kind = (0, 32);
const F32: Kind = (2, 32);
const BF16: Kind = (4, 16);

/// A tensor with its memory, which stays where it is.
struct Array {
    tensor: Tensor,
    // In 64-bit words, so that elements of every kind are aligned.
    memory: Vec<u64>,
    shape: Vec<i64>,
    kind: Kind,
}

impl Array {
    fn new(kind: Kind, shape: Vec<i64>) -> Box<Array> {
        let count: i64 = shape.iter().product();
        // All bits are set: not a number until it is written.
        let mut memory = vec![u64::MAX; (count as usize * kind.1 as usize + 63) / 64];
        let tensor = Tensor {
            data: memory.as_mut_ptr().cast(),
            device_type: 1,
            device_id: 0,
            rank: shape.len() as i32,
            type_code: kind.0,
            type_bits: kind.1,
            type_lanes: 1,
            shape: shape.as_ptr(),
            strides: ptr::null(),
            byte_offset: 0,
        };
        Box::new(Array {
            tensor,
            memory,
            shape,
            kind,
        })
    }

    fn len(&self) -> usize {
        self.shape.iter().product::<i64>() as usize
    }

    /// An element as a number.
    fn at(&self, i: usize) -> f64 {
        let bits = self.kind.1 as usize;
        let word = self.memory[i * bits / 64] >> (i * bits % 64);
        match self.kind {
            BF16 => f32::from_bits((word as u32) << 16) as f64,
            I32 => word as i32 as f64,
            F32 => f32::from_bits(word as u32) as f64,
            _ => f64::from_bits(word),
        }
    }
}

/// One call of a function with the arguments in a folder.
struct Call {
    folder: PathBuf,
    stream: *mut Stream,
    explained: String,
    arrays: Vec<Box<Array>>,
    outputs: Vec<(String, usize)>, // names, and which of the arrays they are
}

impl Call {
    /// An array of a file.
    fn read(&self, name: &str) -> Box<Array> {
        let path = self.folder.join(format!("{name}.bin"));
        let bytes = std::fs::read(&path)
            .unwrap_or_else(|error| fail(&format!("{}: {error}", path.display())));
        let words: Vec<u64> = bytes
            .chunks(8)
            .map(|chunk| {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                u64::from_ne_bytes(word)
            })
            .collect();
        let rank = words[2] as usize;
        let shape = words[3..3 + rank].iter().map(|&size| size as i64).collect();
        let mut made = Array::new((words[0] as u8, words[1] as u8), shape);
        made.memory.copy_from_slice(&words[8..]);
        made
    }

    fn scalar(&self, name: &str) -> f32 {
        self.read(name).at(0) as f32
    }

    fn keep(&mut self, array: Box<Array>) -> Given {
        self.arrays.push(array);
        &self.arrays[self.arrays.len() - 1].tensor
    }

    fn input(&mut self, name: &str) -> Given {
        let array = self.read(name);
        self.keep(array)
    }

    /// An output of the reference's shape.
    fn output(&mut self, name: &str, kind: Kind) -> Given {
        let shape = self.read(&format!("{name}.value")).shape.clone();
        self.outputs.push((name.to_string(), self.arrays.len()));
        self.keep(Array::new(kind, shape))
    }

    /// The largest error of an element as a share of its bound.
    fn error(&self) -> f64 {
        let mut worst = 0.0;
        for (name, index) in &self.outputs {
            let (value, bound) = (
                self.read(&format!("{name}.value")),
                self.read(&format!("{name}.bound")),
            );
            let written = &self.arrays[*index];
            for i in 0..written.len() {
                let (got, wanted) = (written.at(i), value.at(i));
                if got != wanted {
                    let share = (got - wanted).abs() / bound.at(i);
                    // Of a wrong infinity or a NaN the error is infinite.
                    worst = if share.is_nan() {
                        f64::INFINITY
                    } else {
                        share.max(worst)
                    };
                }
            }
        }
        worst
    }
}

// ---- the kernels -------------------------------------------------------------------------

/// Asks which build a call takes for the arguments, and makes the call.
macro_rules! run {
    ($call:ident, $name:ident, $explain:ident, $($argument:expr),*) => {
        run!(@named $call, $name, $explain, [] $($argument),*)
    };
    // Arguments are evaluated once, as a tuple would be.
    (@named $call:ident, $name:ident, $explain:ident, [$($done:ident)*] $argument:expr
     $(, $rest:expr)*) => {{
        let argument = $argument;
        run!(@named $call, $name, $explain, [$($done)* argument] $($rest),*)
    }};
    (@named $call:ident, $name:ident, $explain:ident, [$($done:ident)*]) => {{
        let mut text = [0u8; 512];
        unsafe {
            must($explain(text.as_mut_ptr().cast(), 512, $call.stream, $($done),*));
            must($name($call.stream, $($done),*));
            must(dsk_stream_synchronize($call.stream));
        }
        // Why comes after a comma.
        let end = text.iter().position(|&c| c == b',' || c == 0).unwrap_or(0);
        $call.explained = String::from_utf8_lossy(&text[..end]).into_owned();
    }};
}

fn mla_decode(c: &mut Call) {
    run!(
        c,
        dsk_mla_decode,
        dsk_mla_decode_explain,
        c.input("Q"),
        c.input("Cache"),
        c.input("Lengths"),
        c.input("Table"),
        c.scalar("scale_log2"),
        c.output("Out", BF16),
        c.output("Lse", F32)
    );
}

fn sparse_mla(c: &mut Call) {
    run!(
        c,
        dsk_sparse_mla,
        dsk_sparse_mla_explain,
        c.input("Q"),
        c.input("KV"),
        c.input("Indices"),
        c.input("Length"),
        c.input("Sink"),
        c.scalar("scale_log2"),
        c.output("Out", BF16),
        c.output("MaxLogits", F32),
        c.output("Lse", F32)
    );
}

fn indexer(c: &mut Call) {
    run!(
        c,
        dsk_indexer,
        dsk_indexer_explain,
        c.input("Q"),
        c.input("Cache"),
        c.input("Scale"),
        c.input("Weights"),
        c.input("Starts"),
        c.input("Ends"),
        c.input("Table"),
        c.output("Logits", F32)
    );
}

fn topk(c: &mut Call) {
    run!(
        c,
        dsk_topk,
        dsk_topk_explain,
        c.input("X"),
        c.input("Starts"),
        c.input("Ends"),
        c.output("Indices", I32)
    );
}

fn moe_gate(c: &mut Call) {
    run!(
        c,
        dsk_moe_gate,
        dsk_moe_gate_explain,
        c.input("Logits"),
        c.input("Bias"),
        c.output("Weights", F32),
        c.output("Ids", I32)
    );
}

fn grouped_gemm(c: &mut Call) {
    run!(
        c,
        dsk_grouped_gemm,
        dsk_grouped_gemm_explain,
        c.input("A"),
        c.input("B"),
        c.input("Offsets"),
        c.output("C", BF16)
    );
}

fn swiglu(c: &mut Call) {
    run!(
        c,
        dsk_swiglu,
        dsk_swiglu_explain,
        c.input("X"),
        c.output("Out", BF16)
    );
}

fn moe_combine(c: &mut Call) {
    run!(
        c,
        dsk_moe_combine,
        dsk_moe_combine_explain,
        c.input("Rows"),
        c.input("Weights"),
        c.input("Positions"),
        c.input("Addend"),
        c.output("Out", BF16)
    );
}

const KERNELS: [(&str, fn(&mut Call)); 15] = [
    ("mla_decode-h16", mla_decode),
    ("mla_decode-h128", mla_decode),
    ("sparse_mla-h16", sparse_mla),
    ("sparse_mla-h128", sparse_mla),
    ("indexer-f8", indexer),
    ("indexer-bf16", indexer),
    ("topk-default", topk),
    ("moe_gate-v2lite", moe_gate),
    ("moe_gate-v3", moe_gate),
    ("grouped_gemm-gate_up", grouped_gemm),
    ("grouped_gemm-down", grouped_gemm),
    ("swiglu-v2lite", swiglu),
    ("swiglu-v3", swiglu),
    ("moe_combine-v2lite", moe_combine),
    ("moe_combine-v3", moe_combine),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.len() < 2 || arguments.len() > 3 {
        fail("usage: check_rust REFERENCES [DEVICE]");
    }
    let name = arguments.get(2).map_or("cpu", String::as_str);
    let c_name = CString::new(name).unwrap();
    let (mut device, mut stream) = (ptr::null_mut(), ptr::null_mut());
    unsafe {
        must(dsk_device_open(c_name.as_ptr(), &mut device));
        must(dsk_stream_create(device, &mut stream));
    }
    let mut right = 0;
    for (kernel, run) in KERNELS {
        let mut call = Call {
            folder: PathBuf::from(&arguments[1]).join(kernel),
            stream,
            explained: String::new(),
            arrays: Vec::new(),
            outputs: Vec::new(),
        };
        run(&mut call);
        let error = call.error();
        println!("{:<60} error / bound {error:.3}", call.explained);
        right += (error <= 1.0) as usize;
    }
    unsafe {
        dsk_stream_destroy(stream);
        dsk_device_close(device);
    }
    println!(
        "Rust on {name}: {right} of {} calls of libdsk are within their bounds",
        KERNELS.len()
    );
    exit((right != KERNELS.len()) as i32)
}
