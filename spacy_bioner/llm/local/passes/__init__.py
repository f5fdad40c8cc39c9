"""Forward passes on a device: how much at once, by which kernels, on which threads."""
