"""What departments must correct goes back to them, and what becomes of it is kept (DOMAIN.md §5.2 反馈闭环, §5.3).

``building`` makes the package of a night, ``sending`` hands it over by the department's own channel, ``closing`` says
what became of every returned row.
"""
