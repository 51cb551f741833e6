//! Small files that a server can process.

/// A PNG image of 16 x 16 blue pixels.
pub(crate) const PHOTO: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0\x90\x91\x68\x36\
    \0\0\0\x16IDAT\x78\xda\x63\x30\x9e\xf9\x9f\x24\xc4\x30\xaa\x61\x54\xc3\xf0\xd5\0\0\x38\x32\xcb\x10\x4e\x8b\xb2\x67\
    \0\0\0\0IEND\xae\x42\x60\x82";

/// Samples per second, of one byte each.
const RATE: u32 = 8000;

/// Returns one second of a quiet tone, as WAV.
pub(crate) fn audio() -> Vec<u8> {
    const HEADER: u32 = 36;
    let mut wav = Vec::from(*b"RIFF");
    wav.extend((HEADER + RATE).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    // PCM, one channel; then samples per second, bytes per second, bytes per sample, bits per sample.
    wav.extend([1_u16, 1].map(u16::to_le_bytes).concat());
    wav.extend([RATE, RATE].map(u32::to_le_bytes).concat());
    wav.extend([1_u16, 8].map(u16::to_le_bytes).concat());
    wav.extend(b"data");
    wav.extend(RATE.to_le_bytes());
    wav.extend((0..RATE).map(|sample| if sample % 20 < 10 { 124 } else { 132 }));
    wav
}
