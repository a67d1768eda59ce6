"""The broker's account compared with the file: the differences, their causes, and the money."""
