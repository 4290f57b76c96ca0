"""documents — typesets and tabulates what is already decided: values in; PDF, XLSX, CSV and iCalendar out.

Must never see a store, a key, a clock, or a passage that its reader may not have.
"""
