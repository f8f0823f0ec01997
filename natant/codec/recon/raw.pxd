# The C side of raw.py, which tells what each function is for.  There is no compiled module: these are put into their callers.

cdef extern from *:
    """
    #include <string.h>

    /* Words seen lately, each in the one place that its letters give.  Bounded: this many words of at most 32 letters. */
    #define NATANT_WORDS 1024  /* 2 ** 10, the bits that a place is made of */
    #define NATANT_WORD_LENGTH 32
    static PyObject *natant_words[NATANT_WORDS];

    static CYTHON_INLINE int natant_is_narrow(PyObject *text) {
        return text != Py_None && PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND;
    }

    static CYTHON_INLINE const unsigned char *natant_chars(PyObject *text) {
        return (const unsigned char *)PyUnicode_DATA(text);
    }

    static PyObject *natant_new_word(PyObject **place, PyObject *text, Py_ssize_t start, Py_ssize_t stop) {
        PyObject *made = PyUnicode_Substring(text, start, stop);
        if (made != NULL && place != NULL) {
            PyObject *old = *place;
            PyUnicode_InternInPlace(&made);
            *place = Py_NewRef(made);
            Py_XDECREF(old);
        }
        return made;
    }

    /* 1: ASCII letters, digits, _ and -;  2: control characters, double quote and backslash */
    static const unsigned char natant_kind[256] = {
        2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
        0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0,
        0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 2, 0, 0, 1,
        0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0,
    };

    /* What a text holds ends with a NUL, which is no part of a word and ends a quoted text: no need to count, as long as
       start is at most the length of the text. */
    static CYTHON_INLINE Py_ssize_t natant_word_end(PyObject *text, Py_ssize_t start) {
        const unsigned char *first = natant_chars(text);
        const unsigned char *at = first + start;
        while (natant_kind[*at] == 1)
            at++;
        return at - first;
    }

    static CYTHON_INLINE Py_ssize_t natant_quote_end(PyObject *text, Py_ssize_t start) {
        const unsigned char *first = natant_chars(text);
        const unsigned char *at = first + start;
        while (natant_kind[*at] != 2)
            at++;
        return *at == '"' ? at - first : -1;
    }

    static CYTHON_INLINE unsigned int natant_four(const unsigned char *at) {
        unsigned int four;
        memcpy(&four, at, 4);
        return four;
    }

    static CYTHON_INLINE PyObject *natant_find_word(PyObject *text, Py_ssize_t start, Py_ssize_t stop, int is_kept) {
        const unsigned char *letters = natant_chars(text) + start;
        Py_ssize_t length = stop - start;
        unsigned int sum;
        PyObject **place;
        if (length > NATANT_WORD_LENGTH || length < 1)
            return natant_new_word(NULL, text, start, stop);
        if (length < 4)
            sum = letters[0] | (unsigned int)letters[length >> 1] << 8 | (unsigned int)letters[length - 1] << 16;
        else
            sum = natant_four(letters) ^ natant_four(letters + (length >> 1) - 2) * 31 ^ natant_four(letters + length - 4) * 961;
        sum = (sum + (unsigned int)length) * 2654435769u;
        place = natant_words + (sum >> 22);
        if (*place != NULL && PyUnicode_GET_LENGTH(*place) == length && memcmp(natant_chars(*place), letters, length) == 0)
            return Py_NewRef(*place);
        return natant_new_word(is_kept ? place : NULL, text, start, stop);
    }

    #define natant_word(text, start, stop) natant_find_word(text, start, stop, 1)
    #define natant_known(text, start, stop) natant_find_word(text, start, stop, 0)

    static CYTHON_INLINE int natant_is_small(PyObject *number) {
        int overflow;
        (void)PyLong_AsLongLongAndOverflow(number, &overflow);
        return overflow == 0;
    }

    /* A list that is empty and has room is what pop() leaves behind, too. */
    static CYTHON_INLINE PyObject *natant_roomy(void) {
        PyObject *out = PyList_New(8);
        if (out != NULL)
            Py_SET_SIZE((PyVarObject *)out, 0);
        return out;
    }

    static CYTHON_INLINE int natant_put(PyObject *list, PyObject *item) {
        PyListObject *out = (PyListObject *)list;
        Py_ssize_t count = Py_SIZE(out);
        if (count >= out->allocated)
            return PyList_Append(list, item);
        out->ob_item[count] = Py_NewRef(item);
        Py_SET_SIZE((PyVarObject *)out, count + 1);
        return 0;
    }

    static CYTHON_INLINE PyObject *natant_taken(PyObject *out) {
        Py_ssize_t count = PyList_GET_SIZE(out);
        PyObject *made = PyTuple_New(count);
        if (made == NULL || count == 0)
            return made;
        memcpy(((PyTupleObject *)made)->ob_item, ((PyListObject *)out)->ob_item, (size_t)count * sizeof(PyObject *));
        Py_SET_SIZE((PyVarObject *)out, 0);
        return made;
    }

    static PyObject *natant_made(PyObject *kind, PyObject *attributes, PyObject *values) {
        Py_ssize_t i;
        PyObject *none = PyTuple_New(0);
        PyObject *made = none == NULL ? NULL : ((PyTypeObject *)kind)->tp_new((PyTypeObject *)kind, none, NULL);
        Py_XDECREF(none);
        if (made == NULL)
            return NULL;
        for (i = 0; i < PyList_GET_SIZE(attributes) && i < PyList_GET_SIZE(values); i++) {
            if (PyObject_GenericSetAttr(made, PyList_GET_ITEM(attributes, i), PyList_GET_ITEM(values, i)) < 0) {
                Py_DECREF(made);
                return NULL;
            }
        }
        return made;
    }
    """
    bint is_narrow "natant_is_narrow"(str text)
    const unsigned char *chars "natant_chars"(str text)
    str word "natant_word"(str text, Py_ssize_t start, Py_ssize_t stop)
    str known "natant_known"(str text, Py_ssize_t start, Py_ssize_t stop)
    Py_ssize_t word_end "natant_word_end"(str text, Py_ssize_t start)
    Py_ssize_t quote_end "natant_quote_end"(str text, Py_ssize_t start)
    int put "natant_put"(list out, object item) except -1
    bint is_small "natant_is_small"(object number)
    list roomy "natant_roomy"()
    tuple taken "natant_taken"(list out)
    object made "natant_made"(object kind, list attributes, list values)
