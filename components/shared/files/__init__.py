"""Files wherever they lie: named, listed, read, written and fingerprinted in one way.

A name is a path of this machine, `file://...`, `gs://...`, `s3://...`, `http(s)://...`, or any other that fsspec has a
package for. What lies elsewhere is read and written through fsspec, which TensorFlow's and TFX's own ways would not do
for all of them; TensorFlow itself only ever meets local files.
"""
