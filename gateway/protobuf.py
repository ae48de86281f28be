"""Protocol Buffers messages, built when a `.proto` file is read.

This needs no compiler and no generated code. Fields that the file leaves out are skipped when a
message is read. A value that is set is written, 0 and "" too, because clients tell them from a
missing one; texts are valid UTF-8, or the message is malformed.
"""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from google.protobuf.descriptor_pb2 import Edition, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClassesForFiles

# The classes exist only at run time.
Message = Any
MessageClass = Any

_PACKAGE = re.compile(r"^package (\w+);", re.MULTILINE)
_MESSAGE = re.compile(r"^message (\w+) {(.*?)^}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^ *(repeated )?(\w+) (\w+) = (\d+);", re.MULTILINE)
_SCALARS: Final = {
    name: FieldDescriptorProto.Type.Value(f"TYPE_{name.upper()}")
    for name in ("bool", "bytes", "double", "float", "int32", "int64", "string", "uint32", "uint64")
}


class Malformed(Exception):
    """The bytes are not a message of this class."""


def classes(proto: Path) -> SimpleNamespace:
    """The classes of the messages in a file of edition 2023, which has no other definitions."""
    text = proto.read_text()
    file = FileDescriptorProto(
        name=proto.name,
        package=_PACKAGE.findall(text)[0],
        syntax="editions",
        edition=Edition.EDITION_2023,
    )
    for name, body in _MESSAGE.findall(text):
        message = file.message_type.add(name=name)
        for repeated, type_name, field_name, number in _FIELD.findall(body):
            field = message.field.add(name=field_name, number=int(number))
            field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
            if type_name in _SCALARS:
                field.type = _SCALARS[type_name]
            else:
                field.type = field.TYPE_MESSAGE
                field.type_name = f".{file.package}.{type_name}"
    pool = DescriptorPool()
    pool.Add(file)
    built = GetMessageClassesForFiles([file.name], pool)
    return SimpleNamespace(**{each.DESCRIPTOR.name: each for each in built.values()})


def read(message_class: MessageClass, data: bytes) -> Message:
    """Raises `Malformed`."""
    try:
        return message_class.FromString(data)
    except DecodeError as error:
        raise Malformed(str(error)) from None
