"""Why an input is not used: each reason's code, and the sentence for the user.

Codes are stable: users search for them, and `rejected.jsonl` carries them.
"""

REASONS = {
    # Of the archive's entry, before its bytes are decoded.
    "unsupported-compression": "The entry is packed with a method other than stored or deflate. Pack it again as an ordinary zip.",
    "encrypted": "The entry is encrypted. Pack the archive again without a password.",
    "unsafe-name": "The name is empty, absolute or too long, climbs out of its folder, has control characters, or is a folder's. Rename it.",
    "link": "The entry is a symbolic link or a special file. Put the picture itself into the archive.",
    "overlap": "The entry shares bytes with another entry. Pack the archive again.",
    "header-mismatch": "The archive's directory and the entry's own header disagree. Pack the archive again.",
    "bomb": "The entry would unpack to far more than its size in the archive. Put an ordinary picture there.",
    "damaged-entry": "The entry's bytes can't be unpacked or fail their checksum. Upload the archive again, or pack it again.",
    "size-mismatch": "The entry unpacks to another size than the archive says. Pack the archive again.",
    "too-large": "The file is larger than the 40 MB that a labeling job takes. Scale or recompress it.",
    "missing": "The object was listed when the run began, and wasn't there any more when it was to be read. Bring it again.",
    "replaced": "The object was replaced by another file after it had been inspected. The next sweep takes that one; else start a run of the prefix again.",
    "cold-storage": "The object is in a storage class that has to be restored before it can be read (S3 Glacier). Restore it, and start a run of the prefix by hand.",
    "nested-archive": "An archive within an archive, or among loose pictures, is not opened. Unpack it, and bring its pictures directly; a zip may also be a source of its own.",
    "not-a-picture": "The file is not a picture. Nothing is wrong unless it was meant to be one.",
    # Of the picture.
    "empty": "The file has no bytes.",
    "unsupported-format": "The picture's format is not supported. Convert it to JPEG or PNG.",
    "wrong-extension": "The file's extension names a format other than the one its bytes have. Rename it.",
    "truncated": "The picture ends early. Copy it again from where it came from.",
    "damaged": "The picture can't be decoded. Copy it again from where it came from.",
    "too-many-pixels": "The picture has more pixels than labeling jobs, or its format here, may have. Scale it down.",
    "too-demanding": "To decode the picture takes more memory or time than there is, or crashes the decoder. Save it anew as an ordinary JPEG or PNG.",
    "too-small": "The picture's smaller side is below the request's minimum.",
    # Of the set.
    "duplicate": "The same picture is in the source more than once; this copy is not used.",
    "known": "The dataset has this picture already; it is not paid for again.",
    "between-splits": "The picture belongs with others on different sides of the split, by likeness, by `groupBy` or by its folder, and would leak on any. Split the dataset anew (`truthmill resplit`), or correct its folder; then bring it again.",
    # Not counted as loss.
    "ignored": "A folder, or a file that an operating system leaves in archives.",
}
