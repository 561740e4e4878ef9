"""The course around the core: data, training, studies, exercises, pictures and the press.

The core (`snapping`, `quantizers`, `evaluation` and the files beside them) imports nothing from here.
"""
