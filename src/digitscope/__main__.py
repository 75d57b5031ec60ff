"""Makes ``python -m digitscope`` the command ``digitscope``."""

from digitscope.cli import main

if __name__ == "__main__":
    main()
