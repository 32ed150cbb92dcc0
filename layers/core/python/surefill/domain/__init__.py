"""The rules of trading and of the money: pure Python, standard library only, no input or output."""
