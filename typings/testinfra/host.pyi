from testinfra.backend.base import BaseBackend, CommandResult

class _File:
    exists: bool
    is_socket: bool
    user: str
    group: str
    mode: int
    content_string: str

class _Service:
    is_running: bool
    is_enabled: bool

class _Package:
    is_installed: bool

class Host:
    def __init__(self, backend: BaseBackend) -> None: ...
    def run(self, command: str, *args: str) -> CommandResult: ...
    def check_output(self, command: str, *args: str) -> str: ...
    def file(self, path: str) -> _File: ...
    def service(self, name: str) -> _Service: ...
    def package(self, name: str) -> _Package: ...
