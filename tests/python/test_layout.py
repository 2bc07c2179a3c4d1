"""Structs and numbers as the package declares them, against what the library says of itself."""

import ctypes

import pytest

from cuonn import _library as lib


def layouts():
    of = {}
    at = lib.Layout()
    i = 0
    while lib.library.cuonn_layout_at(at, i):
        of.setdefault(at.type.decode(), {})[at.field.decode()] = (at.offset, at.size)
        i += 1
    return of


@pytest.mark.parametrize("struct", lib.STRUCTS, ids=lambda s: s.__name__)
def test_struct(struct):
    library = layouts()[struct.__name__]
    own = {"": (0, ctypes.sizeof(struct))}
    own |= {name: (getattr(struct, name).offset, getattr(struct, name).size) for name, _ in struct._fields_}
    assert own == library


def test_a_wrong_struct_would_be_seen():
    wrong = lib._struct("cuonn_buffer", ("data", ctypes.c_void_p), ("type", ctypes.c_int), ("count", ctypes.c_size_t))
    with pytest.raises(AssertionError):
        test_struct(wrong)


def test_choices_are_those_of_the_library():
    name = lib.library.cuonn_phase_style_name
    name.argtypes, name.restype = (ctypes.c_int,), ctypes.c_char_p
    assert tuple(name(i).decode() for i in range(4)) == lib.STYLES and name(4) is None
    name = lib.library.cuonn_architecture_name
    name.argtypes, name.restype = (ctypes.c_int,), ctypes.c_char_p
    assert tuple(name(i).decode() for i in range(5)) == lib.ARCHITECTURES and name(5) is None
    name = lib.library.cuonn_programming_method_name
    name.argtypes, name.restype = (ctypes.c_int,), ctypes.c_char_p
    assert tuple(name(i).decode() for i in range(4)) == lib.PROGRAMMING_METHODS and name(4) is None
    measured = lib.library.cuonn_gradient_is_measured
    measured.argtypes, measured.restype = (ctypes.c_int,), ctypes.c_bool
    assert [g for i, g in enumerate(lib.GRADIENTS) if measured(i)] == ["analog", "digital"]
