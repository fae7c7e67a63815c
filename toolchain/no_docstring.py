"""Stands in for botocore.docs.docstring in the function's package: its clients' methods have none.

The real one imports botocore's generator of documentation.
"""


def no_docstring(*_: object, **__: object) -> None:
    """Give nothing, whatever the method is."""


ClientMethodDocstring = PaginatorDocstring = WaiterDocstring = no_docstring
