"""The half of the sandbox that runs inside WebAssembly."""
