# The C side of sheet.py, which tells what each function is for.  There is no compiled module: these are put into their callers.
#
# A sheet is a bytearray that nobody else sees.  Its size is what was written, its allocation is the room there is.

cdef extern from *:
    """
    #include <math.h>
    #include <string.h>

    #define NATANT_SHEET_SIZE 1000
    #define NATANT_SPARE_SIZE 100000
    /* The sheet that was last given back, for the next one who wants one. */
    static PyObject *natant_spare_sheet;

    static PyObject *natant_blank(void) {
        PyObject *sheet = natant_spare_sheet;
        if (sheet != NULL)
            natant_spare_sheet = NULL;
        else
            sheet = PyByteArray_FromStringAndSize(NULL, NATANT_SHEET_SIZE);
        if (sheet != NULL)
            Py_SET_SIZE((PyVarObject *)sheet, 0);
        return sheet;
    }

    static CYTHON_INLINE void natant_give_back(PyObject *sheet) {
        if (natant_spare_sheet == NULL && ((PyByteArrayObject *)sheet)->ob_alloc <= NATANT_SPARE_SIZE)
            natant_spare_sheet = Py_NewRef(sheet);
    }

    /* Not PyByteArray_AS_STRING, which has another place for what is empty. */
    static CYTHON_INLINE char *natant_start(PyObject *sheet) {
        return ((PyByteArrayObject *)sheet)->ob_start;
    }

    static PyObject *natant_to_text(PyObject *sheet) {
        PyObject *text = PyUnicode_DecodeUTF8(natant_start(sheet), Py_SIZE(sheet), NULL);
        natant_give_back(sheet);
        return text;
    }

    static PyObject *natant_to_bytes(PyObject *sheet) {
        PyObject *bytes = PyBytes_FromStringAndSize(natant_start(sheet), Py_SIZE(sheet));
        natant_give_back(sheet);
        return bytes;
    }

    static int natant_grow(PyObject *sheet, Py_ssize_t needed) {
        Py_ssize_t written = Py_SIZE(sheet);
        Py_ssize_t wanted = ((PyByteArrayObject *)sheet)->ob_alloc;
        if (needed > PY_SSIZE_T_MAX / 2) {
            PyErr_NoMemory();
            return -1;
        }
        while (wanted < needed)
            wanted = wanted < 64 ? 64 : wanted * 2;
        if (PyByteArray_Resize(sheet, wanted) < 0)
            return -1;
        Py_SET_SIZE((PyVarObject *)sheet, written);
        return 0;
    }

    /* Where to write ``more`` bytes; they count as written by natant_written. */
    static CYTHON_INLINE char *natant_room(PyObject *sheet, Py_ssize_t more) {
        Py_ssize_t needed = Py_SIZE(sheet) + more + 1;
        if (needed > ((PyByteArrayObject *)sheet)->ob_alloc && natant_grow(sheet, needed) < 0)
            return NULL;
        return natant_start(sheet) + Py_SIZE(sheet);
    }

    static CYTHON_INLINE void natant_written(PyObject *sheet, Py_ssize_t more) {
        Py_SET_SIZE((PyVarObject *)sheet, Py_SIZE(sheet) + more);
    }

    static CYTHON_INLINE int natant_mark(PyObject *sheet, Py_UCS4 c) {
        char *at = natant_room(sheet, 1);
        if (at == NULL)
            return -1;
        *at = (char)c;
        natant_written(sheet, 1);
        return 0;
    }

    static int natant_add(PyObject *sheet, PyObject *text) {
        PyObject *bytes = NULL;
        const char *from;
        Py_ssize_t length;
        char *at;
        if (PyUnicode_IS_ASCII(text)) {
            from = (const char *)PyUnicode_DATA(text);
            length = PyUnicode_GET_LENGTH(text);
        } else {
            bytes = PyUnicode_AsUTF8String(text);
            if (bytes == NULL)
                return -1;
            from = PyBytes_AS_STRING(bytes);
            length = PyBytes_GET_SIZE(bytes);
        }
        at = natant_room(sheet, length);
        if (at != NULL) {
            memcpy(at, from, (size_t)length);
            natant_written(sheet, length);
        }
        Py_XDECREF(bytes);
        return at == NULL ? -1 : 0;
    }

    /* 1: letters and _;  2: digits and -;  4: what stands in quotes as it is */
    static const unsigned char natant_plain[128] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        4, 4, 0, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 2, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4,
        4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 4, 0, 4, 4, 1,
        4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 4, 4, 4, 4, 0,
    };

    static int natant_plain_text(PyObject *sheet, PyObject *text) {
        const unsigned char *from;
        Py_ssize_t length, i;
        int seen = 0, is_bare;
        char *at;
        if (!PyUnicode_IS_ASCII(text))
            return 0;
        from = (const unsigned char *)PyUnicode_DATA(text);
        length = PyUnicode_GET_LENGTH(text);
        at = natant_room(sheet, length + 2);
        if (at == NULL)
            return -1;
        for (i = 0; i < length; i++) {
            unsigned char kind = natant_plain[from[i]];
            if (kind == 0)
                return 0;
            seen |= kind;
            at[i + 1] = (char)from[i];
        }
        is_bare = length > 0 && !(seen & 4) && natant_plain[from[0]] == 1
            && !(length == 4 && memcmp(from, "true", 4) == 0) && !(length == 5 && memcmp(from, "false", 5) == 0);
        if (is_bare) {
            memmove(at, at + 1, (size_t)length);
            natant_written(sheet, length);
        } else {
            at[0] = at[length + 1] = '"';
            natant_written(sheet, length + 2);
        }
        return 1;
    }

    /* The decimal digits of a number, the last one before ``end``; where the first one is. */
    static CYTHON_INLINE char *natant_digits(char *end, unsigned long long number) {
        do {
            *--end = (char)('0' + number % 10);
            number /= 10;
        } while (number != 0);
        return end;
    }

    static CYTHON_INLINE int natant_put_digits(PyObject *sheet, const char *from, const char *end) {
        char *at = natant_room(sheet, end - from);
        if (at == NULL)
            return -1;
        memcpy(at, from, (size_t)(end - from));
        natant_written(sheet, end - from);
        return 1;
    }

    static int natant_plain_int(PyObject *sheet, PyObject *value) {
        int overflow;
        char digits[24];
        char *first;
        long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
        if (overflow)
            return 0;
        if (number == -1 && PyErr_Occurred())
            return -1;
        first = natant_digits(digits + 24, number < 0 ? 0ULL - (unsigned long long)number : (unsigned long long)number);
        if (number < 0)
            *--first = '-';
        return natant_put_digits(sheet, first, digits + 24);
    }

    /* A decimal of at most 15 digits that reads as the float is the shortest there is, the one that repr() gives: no two such
       decimals read as one float.  It reads as the float where the quotient of digits and power, both exact, is the float. */
    static int natant_plain_float(PyObject *sheet, double number, int is_exact) {
        static const double powers[] = {1e3, 1e6, 1e9, 1e12};
        double size = fabs(number);
        char digits[40];
        char *first, *end = digits + 40;
        int step;
        if (size != 0.0 && size < 1e15 && size == rint(size)) {
            if (is_exact) {
                *--end = '0';
                *--end = '.';
            }
            first = natant_digits(end, (unsigned long long)size);
            if (number < 0)
                *--first = '-';
            return natant_put_digits(sheet, first, digits + 40) < 0 ? -1 : is_exact ? 1 : 2;
        }
        if (!(size >= 1e-3 && size < 1e7))
            return 0;
        for (step = 0; step < 4; step++) {
            double whole = rint(size * powers[step]);
            unsigned long long value;
            int places = 3 * (step + 1);
            if (whole >= 1e15)
                return 0;
            if (whole / powers[step] != size)
                continue;
            value = (unsigned long long)whole;
            while (places > 0 && value % 10 == 0) {
                value /= 10;
                places--;
            }
            if (places == 0)
                return 0;
            first = end;
            for (; places > 0; places--) {
                *--first = (char)('0' + value % 10);
                value /= 10;
            }
            *--first = '.';
            first = natant_digits(first, value);
            if (number < 0)
                *--first = '-';
            return natant_put_digits(sheet, first, end);
        }
        return 0;
    }
    """
    bytearray blank "natant_blank"()
    int mark "natant_mark"(bytearray sheet, Py_UCS4 char) except -1
    int add "natant_add"(bytearray sheet, str text) except -1
    bint plain_text "natant_plain_text"(bytearray sheet, str text) except -1
    bint plain_int "natant_plain_int"(bytearray sheet, object number) except -1
    int plain_float "natant_plain_float"(bytearray sheet, double number, bint is_exact) except -1
    str to_text "natant_to_text"(bytearray sheet)
    bytes to_bytes "natant_to_bytes"(bytearray sheet)
