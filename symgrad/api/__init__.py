"""What users hold: ``derive`` and ``Derivation``, ``minimize``, ``fit`` and ``Run``.

Everything below (tracing, calculus, rendering, compiling, training) is composed here and knows nothing of it.
"""
